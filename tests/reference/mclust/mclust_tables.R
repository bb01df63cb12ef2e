# Reference tables from R's mclust: every family, components 1 to 9.
# Usage: Rscript mclust_tables.R DATA_FOLDER OUTPUT_FOLDER [TABLE ...]
# Tolerance 1e-10 in EM and in the inner M-steps: fits that are finished, from mclust's own default start.
suppressMessages(library(mclust))
arguments <- commandArgs(trailingOnly = TRUE)
tables <- list(
  old_faithful = function(t) t[, c("eruptions", "waiting")],
  diabetes_reaven_miller = function(t) t[, c("glucose", "insulin", "sspg")],
  thyroid_gland = function(t) t[, setdiff(names(t), "Diagnosis")],
  swiss_banknote = function(t) t[, setdiff(names(t), "Status")],
  penguins = function(t) na.omit(t[, c("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")]),
  mall_customers = function(t) t[, c("Annual.Income..k..", "Spending.Score..1.100.")],
  wholesale_customers = function(t) log(t[, setdiff(names(t), c("Channel", "Region"))])
)
tables <- tables[if (length(arguments) > 2) arguments[-(1:2)] else names(tables)]
control <- emControl(tol = c(1e-10, 1e-10), itmax = c(10000, 10000))
for (name in names(tables)) {
  rows <- tables[[name]](read.csv(file.path(arguments[1], paste0(name, ".csv"))))
  found <- data.frame()
  tree <- hc(rows, modelName = "VVV", use = "SVD")
  for (family in mclust.options("emModelNames")) for (k in 1:9) {
    fit <- try(Mclust(rows, G = k, modelNames = family, control = control,
                      initialization = list(hcPairs = tree), verbose = FALSE), silent = TRUE)
    ok <- inherits(fit, "Mclust")
    found <- rbind(found, data.frame(family = family, components = k,
      log_likelihood = if (ok) sprintf("%.10f", fit$loglik) else "", parameters = if (ok) fit$df else NA,
      bic = if (ok) sprintf("%.10f", fit$bic) else ""))
  }
  write.csv(found, file.path(arguments[2], paste0("mclust_", name, ".csv")), row.names = FALSE, quote = FALSE)
  cat(name, nrow(rows), ncol(rows), "\n")
}
