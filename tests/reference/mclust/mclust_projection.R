# Directions of MclustDR for two mixtures of the penguins' four measurements; writes mclust_projection.csv.
# Rscript mclust_projection.R PENGUINS.csv OUTPUT.csv
suppressMessages(library(mclust))
arguments <- commandArgs(trailingOnly = TRUE)
table <- read.csv(arguments[1])
data <- as.matrix(na.omit(table[, c("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")]))
text <- function(x) paste(format(as.vector(x), digits = 17, trim = TRUE), collapse = " ")

rows <- list()
for (family in c("EEE", "VVV")) {
  # To the end, so that the moments of the mixture are those of the rows.
  model <- Mclust(data, G = 3, modelNames = family, verbose = FALSE,
                  control = emControl(tol = c(1e-14, 1e-14), itmax = c(20000, 20000)))
  for (lambda in c(1, 0.5)) {
    found <- MclustDR(model, lambda = lambda)
    count <- min(2, found$numdir)
    rows[[length(rows) + 1]] <- data.frame(
      family = family, share = lambda, directions = found$numdir, weights = text(model$parameters$pro),
      means = text(model$parameters$mean), covariances = text(model$parameters$variance$sigma),
      eigenvalues = text(found$evalues[1:count]), basis = text(found$basis[, 1:count])
    )
  }
}
write.csv(do.call(rbind, rows), arguments[2], row.names = FALSE, quote = FALSE)
