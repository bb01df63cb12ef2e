# Reference values from R's mclust: the two families of one column, E and V, from a given partition.
# Usage: Rscript mclust_one_column.R DATA_FOLDER OUTPUT_FILE
# first: log-likelihood after one M-step; last: when finished.
suppressMessages(library(mclust))
arguments <- commandArgs(trailingOnly = TRUE)
tables <- list(
  old_faithful = c("waiting", "68"), diabetes_reaven_miller = c("glucose", "class"),
  thyroid_gland = c("T4", "Diagnosis"), swiss_banknote = c("Diagonal", "Status"),
  penguins = c("flipper_length_mm", "species")
)
control <- emControl(tol = c(1e-13, 1e-13), itmax = c(100000, 100000))
found <- data.frame()
for (name in names(tables)) {
  column <- tables[[name]][1]
  label <- tables[[name]][2]
  t <- read.csv(file.path(arguments[1], paste0(name, ".csv")))
  t <- t[!is.na(t[[column]]), ]
  rows <- t[[column]]
  z <- unmap(if (label == "68") as.integer(rows >= 68) + 1L else as.integer(factor(t[[label]])))
  for (family in c("E", "V")) {
    step <- mstep(data = rows, modelName = family, z = z, control = control)
    first <- estep(data = rows, modelName = family, parameters = step$parameters)
    last <- me(data = rows, modelName = family, z = z, control = control)
    found <- rbind(found, data.frame(table = name, column = column, family = family, components = ncol(z),
      parameters = nMclustParams(family, 1, ncol(z)),
      first = sprintf("%.10f", first$loglik), last = sprintf("%.10f", last$loglik)))
  }
}
write.csv(found, arguments[2], row.names = FALSE, quote = FALSE)
