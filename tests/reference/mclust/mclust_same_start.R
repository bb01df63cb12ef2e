# Reference values from R's mclust: every family from a given partition, after one M-step and when finished.
# first, last: log-likelihoods; complete: what the M-step maximizes, sum over rows and components of z log(pro density).
# Usage: Rscript mclust_same_start.R DATA_FOLDER OUTPUT_FILE
suppressMessages(library(mclust))
arguments <- commandArgs(trailingOnly = TRUE)
tables <- list(
  old_faithful = list(c("eruptions", "waiting"), function(t) as.integer(t$waiting >= 68) + 1L),
  diabetes_reaven_miller = list(c("glucose", "insulin", "sspg"), function(t) as.integer(factor(t$class))),
  thyroid_gland = list(c("RT3U", "T4", "T3", "TSH", "DTSH"), function(t) as.integer(factor(t$Diagnosis))),
  swiss_banknote = list(c("Length", "Left", "Right", "Bottom", "Top", "Diagonal"),
                        function(t) as.integer(factor(t$Status))),
  penguins = list(c("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"),
                  function(t) as.integer(factor(t$species)))
)
control <- emControl(tol = c(1e-13, 1e-13), itmax = c(100000, 100000))
found <- data.frame()
for (name in names(tables)) {
  t <- read.csv(file.path(arguments[1], paste0(name, ".csv")))
  t <- t[complete.cases(t[, tables[[name]][[1]]]), ]
  rows <- as.matrix(t[, tables[[name]][[1]]])
  z <- unmap(tables[[name]][[2]](t))
  for (family in mclust.options("emModelNames")) {
    step <- mstep(data = rows, modelName = family, z = z, control = control)
    first <- estep(data = rows, modelName = family, parameters = step$parameters)
    densities <- cdens(data = rows, modelName = family, parameters = step$parameters, logarithm = TRUE)
    complete <- sum(z * sweep(densities, 2, log(step$parameters$pro), "+"))
    last <- me(data = rows, modelName = family, z = z, control = control)
    found <- rbind(found, data.frame(table = name, family = family, components = ncol(z),
      first = sprintf("%.10f", first$loglik),
      complete = sprintf("%.10f", complete), last = sprintf("%.10f", last$loglik)))
  }
}
write.csv(found, arguments[2], row.names = FALSE, quote = FALSE)
