# Reference tables from R's mclust: every family, components 1 to 9.
# Usage: Rscript mclust_tables.R DATA_FOLDER OUTPUT_FOLDER [TABLE ...]
# Tolerance 1e-10 in EM and in the inner M-steps: fits that are finished, from mclust's own default start.
#
# Three columns tell whether a solution is degenerate. `width`: the smallest variance of a component relative to the
# data's (in any direction; in the columns, of families whose axes are parallel to them; on average, of balls), of its
# covariance or, if that is below 0.01 and its own, of the rows that it is the most probable of. `rows`: the smallest
# effective count. `equal`: the largest share of the rows of a component of its own covariance that have one value
# (the median; of balls in every such column) where the component's variance is below 0.01 of the data's.
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

# Relative variances of a covariance, as far as the family knows of directions.
widths <- function(sigma, whole, family) {
  if (family %in% c("EII", "VII")) return(mean(diag(sigma)) / mean(diag(whole)))
  if (substr(family, 3, 3) == "I") return(diag(sigma) / diag(whole))
  root <- solve(t(chol(whole)))
  eigen(root %*% sigma %*% t(root), symmetric = TRUE, only.values = TRUE)$values
}

sound <- function(fit, rows, family) {
  x <- as.matrix(rows)
  whole <- cov(x) * (nrow(x) - 1) / nrow(x)
  own <- family %in% c("VII", "VVI", "VVV")
  needed <- if (substr(family, 3, 3) == "I") 2 else ncol(x) + 1
  width <- Inf
  equal <- 0
  for (k in seq_len(fit$G)) {
    sigma <- as.matrix(fit$parameters$variance$sigma[, , k])
    relative <- min(widths(sigma, whole, family))
    mine <- x[fit$classification == k, , drop = FALSE]
    narrow <- which(diag(sigma) / diag(whole) < 0.01)
    if (own && relative < 0.01 && nrow(mine) >= needed) {
      relative <- min(relative, widths(cov(mine) * (nrow(mine) - 1) / nrow(mine), whole, family))
      shares <- apply(mine[, narrow, drop = FALSE], 2, function(v) mean(v == median(v)))
      if (length(shares)) equal <- max(equal, if (family %in% c("EII", "VII")) min(shares) else max(shares))
    }
    width <- min(width, relative)
  }
  list(width = width, rows = min(if (fit$G == 1) 1 else fit$parameters$pro) * nrow(x), equal = equal)
}

for (name in names(tables)) {
  rows <- tables[[name]](read.csv(file.path(arguments[1], paste0(name, ".csv"))))
  found <- data.frame()
  tree <- hc(rows, modelName = "VVV", use = "SVD")
  for (family in mclust.options("emModelNames")) for (k in 1:9) {
    fit <- try(Mclust(rows, G = k, modelNames = family, control = control,
                      initialization = list(hcPairs = tree), verbose = FALSE), silent = TRUE)
    ok <- inherits(fit, "Mclust")
    seen <- if (ok) sound(fit, rows, family)
    found <- rbind(found, data.frame(family = family, components = k,
      log_likelihood = if (ok) sprintf("%.10f", fit$loglik) else "", parameters = if (ok) fit$df else NA,
      bic = if (ok) sprintf("%.10f", fit$bic) else "", width = if (ok) sprintf("%.3g", seen$width) else "",
      rows = if (ok) sprintf("%.2f", seen$rows) else "", equal = if (ok) sprintf("%.3f", seen$equal) else ""))
  }
  write.csv(found, file.path(arguments[2], paste0("mclust_", name, ".csv")), row.names = FALSE, quote = FALSE)
  cat(name, nrow(rows), ncol(rows), "\n")
}
