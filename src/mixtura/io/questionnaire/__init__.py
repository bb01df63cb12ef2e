"""A workbook that assigns people to segments by their answers, with live formulas."""
