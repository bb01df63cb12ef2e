# Models of mclust 6.0.0 and mixtools 2.0.0 (R 4.2.2) as saveRDS keeps them, and their densities of some rows as R computes them.
# Run in tests/reference/foreign: Rscript r_models.R
suppressMessages({library(mclust); library(mixtools)})
set.seed(1)
rows <- as.matrix(faithful)
asked <- rows[seq(1, 272, by = 9), ]
found <- NULL
keep <- function(name, model, density, rows) {
  saveRDS(model, paste0(name, ".rds"))
  rows <- as.matrix(rows)
  if (ncol(rows) == 1) rows <- cbind(NA, rows)
  found <<- rbind(found, data.frame(model = name, eruptions = rows[, 1], waiting = rows[, 2],
                                    log_density = sprintf("%.17g", density)))
}
small <- function(model) {
  for (part in c("data", "z", "classification", "uncertainty", "BIC", "hypvol")) model[[part]] <- NULL
  model
}
for (name in c("EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV")) {
  model <- Mclust(rows, G = 3, modelNames = name, verbose = FALSE)
  density <- dens(asked, modelName = name, parameters = model$parameters, logarithm = TRUE)
  keep(paste0("mclust_", name), if (name == "VVV") model else small(model), density, asked)
}
for (name in c("E", "V")) {
  model <- Mclust(rows[, 2], G = 2, modelNames = name, verbose = FALSE)
  density <- dens(asked[, 2], modelName = name, parameters = model$parameters, logarithm = TRUE)
  keep(paste0("mclust_one_column_", name), small(model), density, asked[, 2])
}
model <- Mclust(rows, G = 1, modelNames = "VVV", verbose = FALSE)
keep("mclust_single", small(model), dens(asked, modelName = model$modelName, parameters = model$parameters, logarithm = TRUE), asked)
model <- Mclust(rows, G = 2, modelNames = "VVV", initialization = list(noise = c(1, 5, 200)), verbose = FALSE)
density <- dens(asked, modelName = "VVV", parameters = model$parameters, logarithm = TRUE)
keep("mclust_noise", small(model), density, asked)
model <- normalmixEM(rows[, 2], k = 2, maxit = 500)
density <- log(model$lambda[1] * dnorm(asked[, 2], model$mu[1], model$sigma[1]) +
               model$lambda[2] * dnorm(asked[, 2], model$mu[2], model$sigma[2]))
keep("mixtools_normalmixEM", model, density, asked[, 2])
model <- mvnormalmixEM(rows, k = 2, maxit = 500)
density <- log(model$lambda[1] * dmvnorm(asked, model$mu[[1]], model$sigma[[1]]) +
               model$lambda[2] * dmvnorm(asked, model$mu[[2]], model$sigma[[2]]))
keep("mixtools_mvnormalmixEM", model, density, asked)
saveRDS(lm(waiting ~ eruptions, faithful), "linear_model.rds")
write.csv(found, "densities.csv", row.names = FALSE, quote = FALSE)
