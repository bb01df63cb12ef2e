# Reference values from R's mclust: the clusters of its model-based agglomeration, cut at 2 to 9.
# Usage: Rscript mclust_trees.R DATA_FOLDER OUTPUT_FILE
# One line per table, criterion and number of clusters; the labels of the rows in order, one digit each.
suppressMessages(library(mclust))
arguments <- commandArgs(trailingOnly = TRUE)
complete <- function(t, columns) na.omit(t[, columns])
tables <- list(
  old_faithful = c("eruptions", "waiting"),
  diabetes_reaven_miller = c("glucose", "insulin", "sspg"),
  thyroid_gland = c("RT3U", "T4", "T3", "TSH", "DTSH"),
  swiss_banknote = c("Length", "Left", "Right", "Bottom", "Top", "Diagonal"),
  penguins = c("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"),
  mall_customers = c("Annual Income (k$)", "Spending Score (1-100)")
)
found <- data.frame()
for (name in names(tables)) {
  rows <- complete(read.csv(file.path(arguments[1], paste0(name, ".csv")), check.names = FALSE), tables[[name]])
  for (criterion in c("VVV", "EEE", "VII", "EII")) {
    labels <- hclass(hc(rows, modelName = criterion, use = "SVD"), 2:9)
    for (k in 2:9) found <- rbind(found, data.frame(table = name, criterion = criterion, clusters = k,
      labels = paste(labels[, as.character(k)], collapse = "")))
  }
}
write.csv(found, arguments[2], row.names = FALSE, quote = FALSE)
