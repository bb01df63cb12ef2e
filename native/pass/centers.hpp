// The common center of the shared layout. Included by pass.cpp alone, inside an anonymous namespace.
#pragma once

// L (mu_k - c), in the shared layout.
void whiten_means(const Pass& pass, Work& work) {
    const Index d = pass.d;
    if (pass.layout != Layout::shared || !pass.factors) return;
    work.identity = true;
    for (Index i = 0; i < d * d; ++i) work.identity = work.identity && pass.factors[i] == static_cast<double>(i % (d + 1) == 0);
    for (Index k = 0; k < pass.k; ++k)
        for (Index i = 0; i < d; ++i) {
            double z = 0.0;
            for (Index j = 0; j <= i; ++j) z += pass.factors[i * d + j] * (pass.means[k * d + j] - work.center[j]);
            work.whitened[k * d + i] = z;
        }
}

// c = mean of the means in the shared layout; elsewhere c = 0 and rows stay as they are.
void center_means(const Pass& pass, Work& work) {
    const Index d = pass.d;
    for (Index j = 0; j < d; ++j) {
        double total = 0.0;
        for (Index k = 0; k < pass.k && pass.layout == Layout::shared; ++k) total += pass.means[k * d + j];
        work.center[j] = total / static_cast<double>(pass.k);
    }
    whiten_means(pass, work);
}
