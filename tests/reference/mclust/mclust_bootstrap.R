# Reference values from R's mclust: bootstrap likelihood-ratio tests, and bootstrap standard errors of parameters.
# Usage: Rscript mclust_bootstrap.R OUTPUT_FOLDER
# Old Faithful is part of R. Fits are finished (small tolerances), so that they do not depend on where EM was stopped.
suppressMessages(library(mclust))
folder <- commandArgs(trailingOnly = TRUE)[1]
control <- emControl(tol = c(1e-9, 1e-9), itmax = c(10000, 10000))
rows <- as.matrix(faithful)

found <- data.frame()
for (family in c("VVV", "EEE", "VII")) {
  set.seed(1)
  most <- if (family == "EEE") 3 else 2
  test <- mclustBootstrapLRT(rows, modelName = family, nboot = 999, maxG = most, verbose = FALSE, control = control)
  found <- rbind(found, data.frame(family = family, components = test$G,
    statistic = sprintf("%.8f", test$obs), p_value = test$p.value,
    boot_median = sprintf("%.4f", apply(test$boot, 2, median)),
    boot_90 = sprintf("%.4f", apply(test$boot, 2, quantile, 0.9)), n_boot = 999))
}
write.csv(found, file.path(folder, "mclust_bootstrap_test.csv"), row.names = FALSE, quote = FALSE)

found <- data.frame()
for (case in list(c("VVV", 2), c("EEE", 3), c("VVI", 2))) {
  components <- as.integer(case[2])
  fit <- Mclust(rows, G = components, modelNames = case[1], verbose = FALSE, control = control)
  fit$control <- control
  for (type in c("bs", "wlbs", "pb")) {
    set.seed(1)
    boot <- MclustBootstrap(fit, nboot = 999, type = type, verbose = FALSE)
    errors <- summary(boot, what = "se")
    limits <- summary(boot, what = "ci")
    for (k in seq_len(components)) {
      add <- function(name, estimate, error, low, high) found <<- rbind(found, data.frame(family = case[1],
        components = components, type = type, component = k, parameter = name, estimate = sprintf("%.10g", estimate),
        standard_error = sprintf("%.6g", error), low = sprintf("%.6g", low), high = sprintf("%.6g", high), n_boot = 999))
      add("weight", fit$parameters$pro[k], errors$pro[k], limits$pro[1, k], limits$pro[2, k])
      for (i in 1:2) {
        add(paste0("mean", i), fit$parameters$mean[i, k], errors$mean[i, k], limits$mean[1, i, k], limits$mean[2, i, k])
        add(paste0("variance", i), fit$parameters$variance$sigma[i, i, k], errors$variance[i, i, k],
            limits$variance[1, i, k], limits$variance[2, i, k])
      }
    }
  }
}
write.csv(found, file.path(folder, "mclust_bootstrap_parameters.csv"), row.names = FALSE, quote = FALSE)
