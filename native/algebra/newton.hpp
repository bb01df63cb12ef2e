// Newton's method for what components share: one shape at different volumes, and common axes. Included by algebra.cpp
// alone, inside an anonymous namespace. Derivations stand with the twins, equal_shape.py and angles.py in
// kernels/iterations.
#pragma once

constexpr double settled = 1e-6;

// Room for doubles, all of it allocated at once.
struct Room {
    explicit Room(Index n) : memory(static_cast<double*>(std::malloc(static_cast<std::size_t>(n) * sizeof(double)))), next(memory) {}
    ~Room() { std::free(memory); }
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;
    double* take(Index n) {
        double* here = next;
        next += n;
        return here;
    }
    double *memory, *next;
};

inline double dot(const double* x, const double* y, Index n) {
    double total = 0.0;
    for (Index i = 0; i < n; ++i) total += x[i] * y[i];
    return total;
}

// x <- (U^T U)^-1 x
inline void solve(Index n, const double* u, double* x) {
    for (Index i = 0; i < n; ++i) {
        x[i] /= u[i * n + i];
        subtract(x + i + 1, x[i], u + i * n + i + 1, n - i - 1);
    }
    for (Index i = n - 1; i >= 0; --i) x[i] = (x[i] - dot(u + i * n + i + 1, x + i + 1, n - i - 1)) / u[i * n + i];
}

// log |M|, M = sum_k rate_k S_k, and P_k = rate_k M^(-1/2) S_k M^(-1/2); NaN where M is nearly singular.
struct Shares {
    Index k, d;
    bool diagonal;
    const double* own;  // (k, d), or (k, d, d)
    double *total, *root, *half, *out;

    Index size() const { return diagonal ? d : d * d; }

    double operator()(const double* rates) const {
        const Index n = size();
        for (Index i = 0; i < n; ++i) total[i] = 0.0;
        for (Index c = 0; c < k; ++c) subtract(total, -rates[c], own + c * n, n);
        LogProduct determinant;
        if (diagonal) {
            for (Index j = 0; j < d; ++j) {
                if (!(total[j] > 0.0 && total[j] < infinity)) return not_a_number;
                determinant.multiply(total[j]);
            }
            for (Index i = 0; i < k * d; ++i) out[i] = own[i] / total[i % d] * rates[i / d];
            return determinant.value();
        }
        if (!cholesky(d, total, root)) return not_a_number;
        for (Index j = 0; j < d; ++j)
            if (!(root[j * d + j] * root[j * d + j] > 1e-8 * total[j * d + j])) return not_a_number;
        if (!invert(d, root, determinant)) return not_a_number;
        for (Index c = 0; c < k; ++c)
            for (Index i = 0; i < d; ++i) {
                for (Index j = 0; j < d; ++j) half[j] = 0.0;
                for (Index j = 0; j <= i; ++j) subtract(half, -root[i * d + j] * rates[c], own + (c * d + j) * d, d);
                for (Index j = 0; j < d; ++j) out[(c * d + i) * d + j] = dot(half, root + j * d, j + 1);
            }
        return -2.0 * determinant.value();
    }
};

// Volumes (k) of covariances of one shape, in place of those to begin with; false where it fails.
bool volumes(Index k, Index d, bool diagonal, const double* counts, const double* own, double* volumes) {
    const Index n = diagonal ? d : d * d;
    Room room(k * n + 2 * n + d + 2 * k * k + 5 * k);
    if (!room.memory) return false;
    double* vectors = room.take(k * n);
    const Shares shares{k, d, diagonal, own, room.take(n), room.take(n), room.take(d), vectors};
    double *curvature = room.take(k * k), *u = room.take(k * k), *theta = room.take(k), *step = room.take(k);
    double *wanted = room.take(k), *traces = room.take(k), *rates = room.take(k);
    double count = 0.0, last = infinity;
    for (Index c = 0; c < k; ++c) count += counts[c];
    for (Index c = 0; c < k; ++c) {
        theta[c] = std::log(volumes[c]);
        step[c] = 0.0;
        wanted[c] = counts[c] * (static_cast<double>(d) / count);
    }
    for (int round = 0; round < 30; ++round) {
        for (Index c = 0; c < k; ++c) rates[c] = counts[c] / std::exp(theta[c]);
        const double loss = dot(wanted, theta, k) + shares(rates);
        if (!(std::fabs(loss) < infinity)) return false;
        for (Index c = 0; c < k; ++c) {
            traces[c] = 0.0;
            for (Index j = 0; j < d; ++j) traces[c] += vectors[c * n + j * (diagonal ? 1 : d + 1)];
            if (!(traces[c] > 0.0)) return false;
        }
        if (loss > last + 1e-13 * std::fmax(1.0, std::fabs(last))) {
            for (Index c = 0; c < k; ++c) {
                step[c] *= 0.25;
                theta[c] -= 3.0 * step[c];
            }
        } else {
            last = loss;
            for (Index i = 0; i < k; ++i) {
                for (Index j = 0; j <= i; ++j) {
                    const double product = static_cast<double>(d) / static_cast<double>(k) -
                                           dot(vectors + i * n, vectors + j * n, n);
                    curvature[i * k + j] = curvature[j * k + i] = product + (i == j ? traces[i] : 0.0);
                }
                step[i] = traces[i] - wanted[i];
            }
            if (!cholesky(k, curvature, u)) return false;
            solve(k, u, step);
            for (Index c = 0; c < k; ++c) theta[c] += step[c];
        }
        if (dot(step, step, k) <= settled * settled) {
            for (Index c = 0; c < k; ++c) volumes[c] = std::exp(theta[c]);
            return true;
        }
    }
    return false;
}

// out <- R^T W R of each of k matrices; half has room for d.
inline void rotate(Index k, Index d, const double* rotation, const double* matrices, double* out, double* half) {
    for (Index i = 0; i < k * d * d; ++i) out[i] = 0.0;
    for (Index c = 0; c < k * d; ++c) {
        for (Index j = 0; j < d; ++j) half[j] = 0.0;
        for (Index l = 0; l < d; ++l) subtract(half, -matrices[c * d + l], rotation + l * d, d);
        for (Index i = 0; i < d; ++i) subtract(out + (c / d * d + i) * d, -rotation[c % d * d + i], half, d);
    }
}

// The mean log-volume that variances along axes leave, and its derivatives: shares (k).
inline double axes_loss(Index k, Index d, bool equal_volume, const double* counts, const double* rotated, double* shares) {
    double total = 0.0, loss = 0.0, count = 0.0;
    for (Index c = 0; c < k; ++c) {
        double logs = 0.0;
        for (Index i = 0; i < d; ++i) logs += std::log(rotated[c * d * d + i * (d + 1)]);
        count += counts[c];
        shares[c] = equal_volume ? counts[c] * std::exp(logs / static_cast<double>(d)) : counts[c];
        total += shares[c];
        loss += shares[c] * logs;
    }
    for (Index c = 0; c < k; ++c) shares[c] /= total;
    return equal_volume ? static_cast<double>(d) * std::log(total / count) : loss / total;
}

inline double turn_of(Index b, Index c) { return b < c ? 1.0 : -1.0; }

struct AxesNewton {
    Index k, d, p;
    bool equal_volume;
    double *half, *gradient, *curvature, *u, *angles, *apart, *values, *vectors;

    Index plane(Index b, Index c) const { return b < c ? b * d - b * (b + 1) / 2 + c - b - 1 : plane(c, b); }
    double own(Index i, Index b) const { return half[(i * d + i) * d + b]; }

    // The step of the angles of all planes, in angles; returns the decrease of the loss it promises.
    double operator()(const double* rotated, const double* shares) const {
        derivatives(rotated, shares);
        for (Index i = 0; i < p; ++i) angles[i] = -gradient[i];
        bool clear = cholesky(p, curvature, u);
        double least = infinity, most = 0.0;
        for (Index i = 0; i < p && clear; ++i) {
            least = std::fmin(least, u[i * p + i] * u[i * p + i]);
            most = std::fmax(most, u[i * p + i] * u[i * p + i]);
        }
        clear && least > 1e-10 * most ? solve(p, u, angles) : descend();
        return -dot(gradient, angles, p);
    }

    // -H^-1 g with the absolute eigenvalues of H.
    void descend() const {
        eigen_one(p, curvature, values, vectors);
        const double most = std::fmax(std::fabs(values[0]), std::fabs(values[p - 1]));
        for (Index i = 0; i < p; ++i) angles[i] = 0.0;
        for (Index j = 0; j < p; ++j) {
            double along = 0.0;
            for (Index i = 0; i < p; ++i) along += vectors[i * p + j] * gradient[i];
            along /= std::fmax(std::fabs(values[j]), 1e-10 * most);
            for (Index i = 0; i < p; ++i) angles[i] -= vectors[i * p + j] * along;
        }
    }

    void derivatives(const double* rotated, const double* shares) const {
        for (Index i = 0; i < d * d * d; ++i) half[i] = 0.0;
        for (Index c = 0; c < k; ++c)
            for (Index i = 0; i < d; ++i)
                subtract(half + i * d * d, -shares[c] / rotated[c * d * d + i * (d + 1)], rotated + c * d * d, d * d);
        for (Index b = 0; b < d; ++b)
            for (Index c = b + 1; c < d; ++c) gradient[plane(b, c)] = own(c, b) - own(b, c);
        for (Index i = 0; i < p * p; ++i) curvature[i] = 0.0;
        for (Index i = 0; i < d; ++i)
            for (Index b = 0; b < d; ++b)
                for (Index c = 0; c < d; ++c) {
                    if (b == i || c == i) continue;
                    double h = half[(i * d + b) * d + c] - 0.5 * (own(b, c) + own(c, b));
                    for (Index m = 0; m < k; ++m) {
                        const double *row = rotated + (m * d + i) * d, v = row[i];
                        h -= 2.0 * shares[m] / v / v * row[b] * row[c];
                    }
                    curvature[plane(i, b) * p + plane(i, c)] += turn_of(i, b) * turn_of(i, c) * h;
                }
        for (Index m = 0; m < k && equal_volume; ++m) {
            const double* w = rotated + m * d * d;
            for (Index b = 0; b < d; ++b)
                for (Index c = b + 1; c < d; ++c)
                    apart[plane(b, c)] = w[b * d + c] * (1.0 / w[c * (d + 1)] - 1.0 / w[b * (d + 1)]) - gradient[plane(b, c)];
            for (Index i = 0; i < p; ++i)
                subtract(curvature + i * p, -2.0 / static_cast<double>(d) * shares[m] * apart[i], apart, p);
        }
    }
};

// rotation <- (I - X/2)^-1 (I + X/2), X skew with the angles: elimination needs no pivots, as the symmetric part is I.
inline void cayley(const AxesNewton& newton, double* below, double* rotation) {
    const Index d = newton.d;
    for (Index i = 0; i < d; ++i)
        for (Index j = 0; j < d; ++j) {
            const double x = i == j ? 0.0 : 0.5 * turn_of(i, j) * newton.angles[newton.plane(i, j)];
            below[i * d + j] = (i == j ? 1.0 : 0.0) - x;
            rotation[i * d + j] = (i == j ? 1.0 : 0.0) + x;
        }
    for (Index i = 0; i < d; ++i)
        for (Index r = i + 1; r < d; ++r) {
            const double share = below[r * d + i] / below[i * d + i];
            subtract(below + r * d, share, below + i * d, d);
            subtract(rotation + r * d, share, rotation + i * d, d);
        }
    for (Index i = d - 1; i >= 0; --i) {
        for (Index r = i + 1; r < d; ++r) subtract(rotation + i * d, below[i * d + r], rotation + r * d, d);
        for (Index j = 0; j < d; ++j) rotation[i * d + j] /= below[i * d + i];
    }
}

// Common axes (d, d) as columns, turned by Newton steps while each lowers the loss; whether they have settled.
bool turn_axes(Index k, Index d, bool equal_volume, const double* counts, const double* own, double* axes) {
    const Index n = k * d * d, p = d * (d - 1) / 2;
    Room room(2 * n + d * d * d + 3 * p + 4 * p * p + p + 3 * d * d + d + 2 * k + 8);
    if (!room.memory) return false;
    double *rotated = room.take(n), *tried = room.take(n), *row = room.take(d), *shares = room.take(k);
    double *rotation = room.take(d * d), *below = room.take(d * d), *turned = room.take(d * d);
    const AxesNewton newton{k, d, p, equal_volume, room.take(d * d * d), room.take(p), room.take(p * p), room.take(p * p),
                            room.take(p), room.take(p), room.take(p), room.take(p * p)};
    rotate(k, d, axes, own, rotated, row);
    double before = axes_loss(k, d, equal_volume, counts, rotated, shares);
    for (int round = 0; round < 20; ++round) {
        const double promised = newton(rotated, shares);
        if (!(std::fabs(promised) < infinity)) return false;
        double after = infinity;
        for (int halving = 0; halving < 8 && !(after <= before + 1e-10); ++halving) {
            for (Index i = 0; i < p && halving; ++i) newton.angles[i] *= 0.5;
            cayley(newton, below, rotation);
            rotate(k, d, rotation, rotated, tried, row);
            after = axes_loss(k, d, equal_volume, counts, tried, shares);
        }
        if (!(after <= before + 1e-10)) return false;
        for (Index i = 0; i < d * d; ++i) turned[i] = 0.0;
        for (Index i = 0; i < d; ++i)
            for (Index l = 0; l < d; ++l) subtract(turned + i * d, -axes[i * d + l], rotation + l * d, d);
        for (Index i = 0; i < d * d; ++i) axes[i] = turned[i];
        std::swap(rotated, tried);
        before = after;
        if (promised < settled) return true;
    }
    return false;
}
