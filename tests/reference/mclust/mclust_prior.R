# Reference values from R's mclust with its default conjugate prior: families from a given partition, when finished.
# last: the log-likelihood; sigma, mean: covariances and means of the first component, column by column; one column
# of the table for E and V. Usage: Rscript mclust_prior.R DATA_FOLDER OUTPUT_FILE
suppressMessages(library(mclust))
arguments <- commandArgs(trailingOnly = TRUE)
tables <- list(
  old_faithful = list(c("eruptions", "waiting"), function(t) as.integer(t$waiting >= 68) + 1L),
  diabetes_reaven_miller = list(c("glucose", "insulin", "sspg"), function(t) as.integer(factor(t$class))),
  thyroid_gland = list(c("RT3U", "T4", "T3", "TSH", "DTSH"), function(t) as.integer(factor(t$Diagnosis))),
  swiss_banknote = list(c("Length", "Left", "Right", "Bottom", "Top", "Diagonal"),
                        function(t) as.integer(factor(t$Status)))
)
control <- emControl(tol = c(1e-14, 1e-14), itmax = c(100000, 100000))
found <- data.frame()
for (name in names(tables)) {
  t <- read.csv(file.path(arguments[1], paste0(name, ".csv")))
  rows <- as.matrix(t[, tables[[name]][[1]]])
  z <- unmap(tables[[name]][[2]](t))
  for (family in c("EII", "VII", "VVI", "EEE", "VVV", "E", "V")) {
    data <- if (nchar(family) == 1) rows[, 2] else rows
    last <- me(data = data, modelName = family, z = z, prior = priorControl(), control = control)
    v <- last$parameters$variance
    sigma <- if (nchar(family) == 1) v$sigmasq[1] else v$sigma[, , 1]
    means <- if (nchar(family) == 1) last$parameters$mean[1] else last$parameters$mean[, 1]
    found <- rbind(found, data.frame(table = name, family = family, components = ncol(z),
      last = sprintf("%.10f", last$loglik),
      sigma = paste(sprintf("%.12g", sigma), collapse = " "),
      mean = paste(sprintf("%.12g", means), collapse = " ")))
  }
}
write.csv(found, arguments[2], row.names = FALSE, quote = FALSE)
