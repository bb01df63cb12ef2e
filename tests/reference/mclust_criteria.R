# BIC and ICL of mclust for fixed parameters on Old Faithful, by its own E-step; writes mclust_criteria.csv.
# Rscript mclust_criteria.R FAITHFUL.csv OUTPUT.csv
suppressMessages(library(mclust))
arguments <- commandArgs(trailingOnly = TRUE)
data <- as.matrix(read.csv(arguments[1])[, c("eruptions", "waiting")])
n <- nrow(data)

means <- cbind(c(2.0, 54), c(4.3, 80), c(3.6, 72))
shared <- matrix(c(0.14, 0.9, 0.9, 34), 2, 2)
round_ones <- array(c(diag(c(9, 9)), diag(c(16, 16)), diag(c(25, 25))), c(2, 2, 3))
upright <- array(c(diag(c(0.08, 30)), diag(c(0.17, 36)), diag(c(0.5, 90))), c(2, 2, 3))
tilted <- array(c(0.07, 0.4, 0.4, 33, 0.17, 0.9, 0.9, 36, 0.5, 5, 5, 100), c(2, 2, 3))
weights <- c(0.35, 0.5, 0.15)

sigmas <- list(VII = round_ones, EEE = array(shared, c(2, 2, 3)), VVI = upright, VVV = tilted)
variance_of <- function(family, K) {
  sigma <- sigmas[[family]][, , 1:K, drop = FALSE]
  if (family == "EEE") return(list(modelName = "EEE", d = 2, G = K, Sigma = shared, cholSigma = chol(shared)))
  if (family == "VII") return(list(modelName = "VII", d = 2, G = K, sigmasq = sigma[1, 1, ]))
  if (family == "VVI") {
    scale <- apply(sigma, 3, function(s) sqrt(prod(diag(s))))
    shape <- sapply(1:K, function(k) diag(sigma[, , k]) / scale[k])
    return(list(modelName = "VVI", d = 2, G = K, scale = scale, shape = matrix(shape, 2, K)))
  }
  chol_sigma <- array(apply(sigma, 3, chol), c(2, 2, K))
  list(modelName = "VVV", d = 2, G = K, sigma = sigma, cholsigma = chol_sigma)
}

rows <- list()
for (family in names(sigmas)) {
  for (K in 2:3) {
    pro <- weights[1:K] / sum(weights[1:K])
    parameters <- list(pro = pro, mean = means[, 1:K], variance = variance_of(family, K))
    fitted <- estep(data, modelName = family, parameters = parameters)
    BIC <- bic(modelName = family, loglik = fitted$loglik, n = n, d = 2, G = K)
    model <- structure(list(n = n, z = fitted$z, bic = BIC), class = "Mclust")
    rows[[length(rows) + 1]] <- data.frame(
      family = family, components = K, weights = paste(format(pro, digits = 17), collapse = " "),
      means = paste(format(as.vector(means[, 1:K]), digits = 17), collapse = " "),
      covariances = paste(format(as.vector(sigmas[[family]][, , 1:K]), digits = 17), collapse = " "),
      log_likelihood = format(fitted$loglik, digits = 15), BIC = format(BIC, digits = 15),
      ICL = format(icl(model), digits = 15)
    )
  }
}
write.csv(do.call(rbind, rows), arguments[2], row.names = FALSE, quote = FALSE)
