"""Files of statistics programs: SPSS, Stata and SAS, with the labels, missing codes and weights that they declare."""
