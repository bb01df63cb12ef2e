# Reference values from R's mclust: components merged by entropy (clustCombi), and the elbows of the entropy plots.
# Usage: Rscript mclust_merging.R OUTPUT_FOLDER
# The memberships are written with six decimals that sum to one exactly, and merged as written.
suppressMessages(library(mclust))
folder <- commandArgs(trailingOnly = TRUE)[1]
data(Baudry_etal_2010_JCGS_examples)
found <- data.frame()
for (name in c("ex4.1", "ex4.2")) {
  fit <- Mclust(get(name), G = 1:10, verbose = FALSE)
  z <- round(fit$z * 1e6)
  largest <- cbind(seq_len(nrow(z)), max.col(z, "first"))
  z[largest] <- 0
  z[largest] <- 1e6 - rowSums(z)
  z <- z / 1e6
  write.table(z, file.path(folder, paste0("mclust_merging_", name, ".csv")), sep = ",", row.names = FALSE,
              col.names = FALSE)
  merged <- mclust:::combi(matrix(0, nrow(z), 2), list(G = ncol(z), z = z))
  G <- ncol(z)
  entropy <- sapply(1:G, function(K) -sum(mclust:::xlog(merged$combiz[[K]])))
  pairs <- sapply(1:(G - 1), function(K) which(merged$combiM[[K]][rowSums(merged$combiM[[K]]) == 2, ] == 1))
  counts <- sapply(1:(G - 1), function(K) sum(merged$classification[[K + 1]] %in% pairs[, K]))
  by_clusters <- mclust:::pcws2_reg(1:G, entropy)$c
  by_count <- mclust:::pcws2_reg(cumsum(c(0, counts)), entropy)$c
  labels <- sapply(1:G, function(K) paste(as.vector(table(factor(merged$classification[[K]], levels = 1:K))),
                                         collapse = " "))
  found <- rbind(found, data.frame(example = name, clusters = 1:G, entropy = sprintf("%.10f", entropy),
    merged = c(counts, NA), first = c(pairs[1, ], NA), second = c(pairs[2, ], NA), sizes = labels,
    elbow_by_clusters = by_clusters, elbow_by_count = by_count))
}
write.csv(found, file.path(folder, "mclust_merging.csv"), row.names = FALSE, quote = FALSE)
