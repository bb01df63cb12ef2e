"""Slow, obvious truth: plain loops over rows, components and columns, with nothing but `math`.

Covariance structures are what their three letters say; what estimates them is a general minimizer.
"""

import math

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import digamma

LOG_2_PI = math.log(2.0 * math.pi)


# --- kernels -----------------------------------------------------------------------------------


def _factor(layout, factors, k, i, j):
    """Element (i, j) of the whitening matrix of component k."""
    if layout == "diagonal":
        return factors[k][i] if i == j else 0.0
    return factors[i][j] if layout == "shared" else factors[k][i][j]


def naive_component_log_density(row, layout, means, factors, offsets, k):
    """``offsets_k - |L_k (x - mu_k)|^2 / 2``."""
    d = len(row)
    difference = [float(row[i]) - means[k][i] for i in range(d)]
    square = 0.0
    for i in range(d):
        terms = [_factor(layout, factors, k, i, j) * difference[j] for j in range(i + 1)]
        z = math.fsum(terms)
        square += z * z
    return offsets[k] - 0.5 * square


def _responsibilities(logs, hard):
    """The log density of one row and its memberships."""
    largest = max(logs) if not any(math.isnan(value) for value in logs) else math.nan
    if not largest > -math.inf:
        return largest, [math.nan] * len(logs), 0
    best = logs.index(largest)
    if hard:
        return largest, [float(k == best) for k in range(len(logs))], best
    log_density = largest + math.log(math.fsum(math.exp(value - largest) for value in logs))
    return log_density, [math.exp(value - log_density) for value in logs], best


def _add_row(sums, row, weight, shares, layout, means):
    """Add one row to the vector of sums; ``shares`` maps components to responsibilities."""
    n_components, d = len(means), len(row)
    for k, share in shares.items():
        c = [float(row[i]) - means[k][i] for i in range(d)]
        sums[2 + k] += weight * share
        for i in range(d):
            sums[2 + n_components + k * d + i] += weight * share * c[i]
        start = 2 + n_components * (1 + d)
        for i in range(d):
            if layout == "diagonal":
                sums[start + k * d + i] += weight * share * c[i] * c[i]
            elif layout == "dense":
                for j in range(i + 1):
                    place = start + k * (d * (d + 1) // 2) + i * (i + 1) // 2 + j
                    sums[place] += weight * share * c[i] * c[j]


def _moments(layout, d):
    return {"dense": d * (d + 1) // 2, "diagonal": d, "shared": 0}[layout]


def naive_accumulate(rows, sample_weight, layout, means, factors, offsets, hard=False, background=None):
    """Sums, log densities, memberships and labels of one pass, row by row; a background is one more component."""
    n_components, d = means.shape
    sums = [0.0] * (2 + n_components * (1 + d + _moments(layout, d)))
    log_densities, memberships, labels = [], [], []
    for n, row in enumerate(rows):
        weight = 1.0 if sample_weight is None else float(sample_weight[n])
        logs = [
            naive_component_log_density(row, layout, means, factors, offsets, k) for k in range(n_components)
        ]
        if background is not None:
            logs.append(float(background[n]))
        log_density, shares, label = _responsibilities(logs, hard)
        shares, label = shares[:n_components], -1 if label == n_components else label
        log_densities.append(log_density)
        memberships.append(shares)
        labels.append(label)
        if weight != 0.0:
            sums[0] += weight * log_density
            sums[1] += weight
            _add_row(sums, row, weight, dict(enumerate(shares)), layout, means)
    return (
        np.array(sums),
        np.array(log_densities, dtype=float),
        np.array(memberships, dtype=float).reshape(len(rows), n_components),
        np.array(labels, dtype=np.intp),
    )


def naive_accumulate_given(rows, sample_weight, responsibilities, means, layout):
    """Sums of rows whose responsibilities, or labels, are known; the log-likelihood entry is 0."""
    n_components, d = means.shape
    sums = [0.0] * (2 + n_components * (1 + d + _moments(layout, d)))
    for n, row in enumerate(rows):
        weight = 1.0 if sample_weight is None else float(sample_weight[n])
        if weight == 0.0:
            continue
        sums[1] += weight
        if responsibilities.ndim == 1:
            label = int(responsibilities[n])
            shares = {label: 1.0} if 0 <= label < n_components else {}
        else:
            shares = {k: float(responsibilities[n, k]) for k in range(n_components)}
        _add_row(sums, row, weight, shares, layout, means)
    return np.array(sums)


# --- mixtures ----------------------------------------------------------------------------------


def naive_cholesky(matrix):
    """Lower triangular C with ``C C^T`` the matrix, element by element."""
    d = len(matrix)
    lower = [[0.0] * d for _ in range(d)]
    for i in range(d):
        for j in range(i + 1):
            rest = float(matrix[i][j]) - math.fsum(lower[i][m] * lower[j][m] for m in range(j))
            lower[i][j] = math.sqrt(rest) if i == j else rest / lower[j][j]
    return lower


def naive_gaussian_log_density(row, mean, covariance):
    """``-(log |2 pi S| + (x - m)^T S^-1 (x - m)) / 2``, by forward substitution."""
    lower = naive_cholesky(covariance)
    square, whitened = 0.0, []
    for i in range(len(row)):
        rest = float(row[i]) - float(mean[i]) - math.fsum(lower[i][j] * whitened[j] for j in range(i))
        whitened.append(rest / lower[i][i])
        square += whitened[-1] ** 2
    log_determinant = 2.0 * math.fsum(math.log(lower[i][i]) for i in range(len(row)))
    return -0.5 * (len(row) * LOG_2_PI + log_determinant + square)


def naive_full_covariances(covariance_type, covariances, n_components, d):
    """The covariance matrix of every component, whatever is stored: matrices, variances, or one of either."""
    full = np.zeros((n_components, d, d))
    for k in range(n_components):
        for i in range(d):
            for j in range(d):
                if covariance_type == "tied":
                    full[k, i, j] = covariances[i][j]
                elif np.ndim(covariances) == 3:
                    full[k, i, j] = covariances[k][i][j]
                elif i == j:
                    full[k, i, i] = covariances[k] if covariance_type == "spherical" else covariances[k][i]
    return full


def naive_e_step(rows, weights, means, full):
    """Log densities (N,) and responsibilities (N, K)."""
    log_densities, memberships = [], []
    for row in rows:
        logs = [
            (math.log(w) if w > 0 else -math.inf) + naive_gaussian_log_density(row, means[k], full[k])
            for k, w in enumerate(weights)
        ]
        log_density, shares, _ = _responsibilities(logs, hard=False)
        log_densities.append(log_density)
        memberships.append(shares)
    return np.array(log_densities), np.array(memberships)


def naive_missing_sums(rows, sample_weight, responsibilities, means, full):
    """Counts, first and second moments about the means of rows whose missing cells are NaN (Ghahramani, Jordan 1994).

    A missing cell counts with its conditional mean given the row's others, and adds its conditional covariance.
    """
    n_components, d = len(means), len(rows[0])
    counts = [0.0] * n_components
    first = [[0.0] * d for _ in range(n_components)]
    second = [[[0.0] * d for _ in range(d)] for _ in range(n_components)]
    for row, weight, shares in zip(rows, sample_weight, responsibilities, strict=True):
        known = [j for j in range(d) if not math.isnan(row[j])]
        for k in range(n_components):
            mean, covariance, share = np.asarray(means[k]), np.asarray(full[k]), weight * shares[k]
            gain = covariance[:, known] @ np.linalg.inv(covariance[np.ix_(known, known)])
            apart = gain @ (np.asarray(row)[known] - mean[known])
            open_ = covariance - gain @ covariance[known, :]
            counts[k] += share
            for i in range(d):
                first[k][i] += share * apart[i]
                for j in range(d):
                    second[k][i][j] += share * (apart[i] * apart[j] + open_[i, j])
    return np.array(counts), np.array(first), np.array(second)


def naive_missing_e_step(rows, weights, means, full, labels=None):
    """Log densities (N,) and responsibilities (N, K) from the columns that each row has; missing cells are NaN.

    A row with a label from 0 belongs to that component alone, and has its density times its weight."""
    log_densities, memberships = [], []
    for row, label in zip(rows, [-1] * len(rows) if labels is None else labels, strict=True):
        known = [j for j in range(len(row)) if not math.isnan(row[j])]
        seen = [float(row[j]) for j in known]
        logs = [
            (math.log(w) if w > 0 else -math.inf)
            + naive_gaussian_log_density(seen, means[k][known], full[k][np.ix_(known, known)])
            for k, w in enumerate(weights)
        ]
        if label >= 0:
            log_densities.append(logs[label])
            memberships.append([float(k == label) for k in range(len(weights))])
            continue
        log_density, shares, _ = _responsibilities(logs, hard=False)
        log_densities.append(log_density)
        memberships.append(shares)
    return np.array(log_densities), np.array(memberships)


def naive_missing_m_step(covariance_type, counts, first, second, means, ridge):
    """Weights, means and covariances from sums about the old means, as each of four structures is defined."""
    n_components, d = np.shape(means)
    shifts = [first[k] / counts[k] for k in range(n_components)]
    scatters = [second[k] - counts[k] * np.outer(shifts[k], shifts[k]) for k in range(n_components)]
    if covariance_type == "full":
        covariances = [s / n + ridge * np.eye(d) for s, n in zip(scatters, counts, strict=True)]
    elif covariance_type == "tied":
        covariances = sum(scatters) / sum(counts) + ridge * np.eye(d)
    elif covariance_type == "diag":
        covariances = [np.diag(s) / n + ridge for s, n in zip(scatters, counts, strict=True)]
    else:
        covariances = [np.trace(s) / (d * n) + ridge for s, n in zip(scatters, counts, strict=True)]
    return np.array(counts) / sum(counts), np.array(means) + np.array(shifts), np.array(covariances)


def naive_missing_em(
    covariance_type, rows, weights, means, covariances, n_iter, sample_weight=None, ridge=0.0, labels=None
):
    """This many full-information EM iterations, row by row; the parameters and the mean log-likelihood before each."""
    sample_weight = [1.0] * len(rows) if sample_weight is None else [float(w) for w in sample_weight]
    bounds = []
    for _ in range(n_iter):
        full = naive_full_covariances(covariance_type, covariances, len(means), len(rows[0]))
        log_densities, memberships = naive_missing_e_step(rows, weights, means, full, labels)
        weighted = [w * value for w, value in zip(sample_weight, log_densities, strict=True)]
        bounds.append(math.fsum(weighted) / math.fsum(sample_weight))
        sums = naive_missing_sums(rows, sample_weight, memberships, means, full)
        weights, means, covariances = naive_missing_m_step(covariance_type, *sums, means, ridge)
    return weights, means, covariances, bounds


def naive_noise_em(
    covariance_type,
    rows,
    noise_weight,
    noise_logs,
    weights,
    means,
    covariances,
    n_iter,
    sample_weight=None,
    ridge=0.0,
):
    """This many EM iterations with noise of given log densities, row by row; values may be missing.

    Returns the weight of the noise, the parameters, and the mean log-likelihood before each iteration.
    """
    sample_weight = [1.0] * len(rows) if sample_weight is None else [float(w) for w in sample_weight]
    total, bounds = math.fsum(sample_weight), []
    for _ in range(n_iter):
        full = naive_full_covariances(covariance_type, covariances, len(means), len(rows[0]))
        log_densities, memberships = naive_missing_e_step(rows, weights, means, full)
        for n in range(len(rows)):
            noise = math.log(noise_weight) + noise_logs[n]
            largest = max(noise, log_densities[n])
            both = largest + math.log(math.exp(noise - largest) + math.exp(log_densities[n] - largest))
            memberships[n] *= math.exp(log_densities[n] - both)
            log_densities[n] = both
        bounds.append(math.fsum(w * v for w, v in zip(sample_weight, log_densities, strict=True)) / total)
        sums = naive_missing_sums(rows, sample_weight, memberships, means, full)
        _, means, covariances = naive_missing_m_step(covariance_type, *sums, means, ridge)
        weights = [n_k / total for n_k in sums[0]]
        noise_weight = 1.0 - math.fsum(weights)
    return noise_weight, np.array(weights), means, covariances, bounds


def naive_t_log_density(row, mean, scale, freedom):
    """Log density of a multivariate t distribution, and the expected weight of the row and of its logarithm."""
    p = len(row)
    lower = naive_cholesky(scale)
    apart = np.asarray(row, dtype=float) - np.asarray(mean)
    whitened = np.linalg.solve(np.array(lower).reshape(p, p), apart) if p else []
    square = math.fsum(z * z for z in whitened)
    log_determinant = 2.0 * math.fsum(math.log(lower[i][i]) for i in range(p))
    density = (
        math.lgamma((freedom + p) / 2.0) - math.lgamma(freedom / 2.0) - 0.5 * p * math.log(freedom * math.pi)
        - 0.5 * log_determinant - 0.5 * (freedom + p) * math.log1p(square / freedom)
    )  # fmt: skip
    weight = (freedom + p) / (freedom + square)
    return density, weight, math.log(weight) + digamma((freedom + p) / 2.0) - math.log((freedom + p) / 2.0)


def naive_t_sums(rows, sample_weight, weights, means, full, freedom):
    """One E-step of t components, row by row; missing values are NaN.

    Returns log densities (N,), responsibilities (N, K), counts, mass, first and second moments about the means, and
    the sums of ``r (E[log u] - E[u])``.
    """
    k, d = np.shape(means)
    counts, mass, extra = np.zeros(k), np.zeros(k), np.zeros(k)
    first, second = np.zeros((k, d)), np.zeros((k, d, d))
    log_densities, memberships = [], []
    for row, counted in zip(rows, sample_weight, strict=True):
        known = [j for j in range(d) if not math.isnan(row[j])]
        seen = np.array([float(row[j]) for j in known])
        each = [
            naive_t_log_density(seen, means[c][known], full[c][np.ix_(known, known)], freedom[c])
            for c in range(k)
        ]
        logs = [(math.log(w) if w > 0 else -math.inf) + one[0] for w, one in zip(weights, each, strict=True)]
        log_density, shares, _ = _responsibilities(logs, hard=False)
        log_densities.append(log_density)
        memberships.append(shares)
        for c in range(k):
            _, u, log_u = each[c]
            gain = full[c][:, known] @ np.linalg.inv(full[c][np.ix_(known, known)])
            apart, share = gain @ (seen - means[c][known]), counted * shares[c]
            counts[c] += share
            mass[c] += share * u
            extra[c] += share * (log_u - u)
            first[c] += share * u * apart
            second[c] += share * (u * np.outer(apart, apart) + full[c] - gain @ full[c][known, :])
    return np.array(log_densities), np.array(memberships), counts, mass, first, second, extra


def naive_t_em(
    covariance_type, rows, weights, means, covariances, freedom, n_iter, sample_weight=None, ridge=0.0,
    common=False, bounds=(2.0, 200.0),
):  # fmt: skip
    """This many EM iterations of t components (Peel and McLachlan 2000), row by row; values may be missing.

    Returns the parameters, degrees of freedom, and the mean log-likelihood before each iteration.
    """
    sample_weight = np.ones(len(rows)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    found = []
    for _ in range(n_iter):
        full = naive_full_covariances(covariance_type, covariances, len(means), len(rows[0]))
        logs, _, counts, mass, first, second, extra = naive_t_sums(
            rows, sample_weight, weights, means, full, freedom
        )
        found.append(float(sample_weight @ logs / sample_weight.sum()))
        shifts = first / mass[:, None]
        scatters = second - np.einsum("k,ki,kj->kij", mass, shifts, shifts)
        weights, _, covariances = naive_missing_m_step(
            covariance_type, counts, np.zeros_like(first), scatters, means, ridge
        )
        means = means + shifts
        wanted = np.full(len(counts), extra.sum() / counts.sum()) if common else extra / counts

        def slope(nu, one):
            return math.log(nu / 2.0) - digamma(nu / 2.0) + 1.0 + one

        freedom = []
        for one in wanted:
            low, high = (slope(nu, one) for nu in bounds)
            inside = low > 0 > high
            root = brentq(slope, *bounds, (one,), xtol=1e-13) if inside else bounds[int(high >= 0)]
            freedom.append(root)
    return weights, means, covariances, np.array(freedom), found


def naive_covariances(covariance_type, rows, sample_weight, memberships, means, ridge):
    """Each structure's estimate, from its definition."""
    n_components, d = len(means), len(rows[0])
    counts = [
        math.fsum(w * r[k] for w, r in zip(sample_weight, memberships, strict=True))
        for k in range(n_components)
    ]

    def moment(k, i, j):
        return math.fsum(
            w * r[k] * (float(x[i]) - means[k][i]) * (float(x[j]) - means[k][j])
            for x, w, r in zip(rows, sample_weight, memberships, strict=True)
        )

    if covariance_type == "full":
        out = [
            [[moment(k, i, j) / counts[k] + ridge * (i == j) for j in range(d)] for i in range(d)]
            for k in range(n_components)
        ]
    elif covariance_type == "tied":
        total = math.fsum(counts)
        out = [
            [
                math.fsum(moment(k, i, j) for k in range(n_components)) / total + ridge * (i == j)
                for j in range(d)
            ]
            for i in range(d)
        ]
    elif covariance_type == "diag":
        out = [[moment(k, i, i) / counts[k] + ridge for i in range(d)] for k in range(n_components)]
    else:
        out = [
            math.fsum(moment(k, i, i) for i in range(d)) / (d * counts[k]) + ridge
            for k in range(n_components)
        ]
    return np.array(out)


def naive_m_step(covariance_type, rows, sample_weight, memberships, ridge):
    """Weights, means and covariances from responsibilities."""
    n_components, d = len(memberships[0]), len(rows[0])
    counts = [
        math.fsum(w * r[k] for w, r in zip(sample_weight, memberships, strict=True))
        for k in range(n_components)
    ]
    weights = np.array([count / math.fsum(counts) for count in counts])
    means = np.array(
        [
            [
                math.fsum(
                    w * r[k] * float(x[i]) for x, w, r in zip(rows, sample_weight, memberships, strict=True)
                )
                / counts[k]
                for i in range(d)
            ]
            for k in range(n_components)
        ]
    )
    return (
        weights,
        means,
        naive_covariances(covariance_type, rows, sample_weight, memberships, means, ridge),
    )


def naive_em(covariance_type, rows, weights, means, covariances, n_iter, sample_weight=None, ridge=0.0):
    """This many EM iterations; returns the parameters and the mean log-likelihood before each."""
    sample_weight = [1.0] * len(rows) if sample_weight is None else [float(w) for w in sample_weight]
    bounds = []
    for _ in range(n_iter):
        full = naive_full_covariances(covariance_type, covariances, len(means), len(rows[0]))
        log_densities, memberships = naive_e_step(rows, weights, means, full)
        weighted = [w * value for w, value in zip(sample_weight, log_densities, strict=True)]
        bounds.append(math.fsum(weighted) / math.fsum(sample_weight))
        weights, means, covariances = naive_m_step(covariance_type, rows, sample_weight, memberships, ridge)
    return weights, means, covariances, bounds


LETTERS = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}


def naive_structures(covariance_type, n_components, d, draw):
    """Covariances ``lambda_k D_k A_k D_k^T`` built as the three letters say, from numbers that ``draw(size)`` gives.

    Volumes and shapes are exponentials, orientations products of plane rotations: any numbers will do.
    """
    volume, shape, orientation = LETTERS.get(covariance_type, covariance_type)

    def each(letter, size):
        if letter == "V":
            return [draw(size) for _ in range(n_components)]
        return [draw(size) if letter == "E" else np.zeros(size)] * n_components

    volumes = each(volume, 1)
    shapes, angles = each(shape, d - 1), each(orientation, d * (d - 1) // 2)
    full = np.zeros((n_components, d, d))
    for k in range(n_components):
        logs = np.append(shapes[k], -np.sum(shapes[k]))
        axes, planes = np.eye(d), [(i, j) for i in range(d) for j in range(i)]
        for (i, j), angle in zip(planes, angles[k], strict=True):
            c, s = math.cos(angle), math.sin(angle)
            axes[:, i], axes[:, j] = c * axes[:, i] - s * axes[:, j], s * axes[:, i] + c * axes[:, j]
        full[k] = axes @ np.diag(np.exp(volumes[k][0] + logs)) @ axes.T
    return full


def naive_n_numbers(covariance_type, n_components, d):
    """How many numbers a covariance structure is built from, counted as they are drawn."""
    drawn = []
    naive_structures(covariance_type, n_components, d, lambda size: drawn.append(size) or np.zeros(size))
    return sum(drawn)


def naive_structure_loss(full, counts, own):
    """``sum_k n_k (log |Sigma_k| + tr(S_k Sigma_k^-1)) / n``: what an M-step minimizes over the covariances."""
    return sum(
        n * (np.linalg.slogdet(c)[1] + np.trace(s @ np.linalg.inv(c)))
        for n, c, s in zip(counts, full, own, strict=True)
    ) / sum(counts)


def naive_best_structure(covariance_type, counts, own, starts, seed=0):
    """The covariances (K, D, D) of least loss, by a general minimizer from several random starts."""
    n_components, d = len(own), len(own[0])
    size = naive_n_numbers(covariance_type, n_components, d)

    def build(numbers):
        left = iter(numbers)
        return naive_structures(
            covariance_type, n_components, d, lambda size: np.array([next(left) for _ in range(size)])
        )

    rng = np.random.RandomState(seed)
    found = [
        minimize(lambda numbers: naive_structure_loss(build(numbers), counts, own), rng.standard_normal(size))
        for _ in range(starts)
    ]
    return build(min(found, key=lambda one: one.fun).x)


def naive_n_parameters(covariance_type, n_components, d):
    """Count the free parameters: weights that sum to one, means, and what the covariances are built from."""
    return (n_components - 1) + n_components * d + naive_n_numbers(covariance_type, n_components, d)


def naive_entropies(memberships, sample_weight):
    """Minus the weighted sums of ``r log r``, and of the log of the largest membership of each row."""
    entropy = classification = 0.0
    for shares, weight in zip(memberships, sample_weight, strict=True):
        for share in shares:
            if share > 0:
                entropy -= weight * share * math.log(share)
        classification -= weight * math.log(max(shares))
    return entropy, classification


def naive_bic(log_densities, n_parameters):
    return -2.0 * math.fsum(log_densities) + n_parameters * math.log(len(log_densities))


def naive_aic(log_densities, n_parameters):
    return -2.0 * math.fsum(log_densities) + 2.0 * n_parameters


# --- cross-validation --------------------------------------------------------------------------


def naive_fold_values(rows, sample_weight, folds, fit):
    """Minus twice the log-likelihood of each fold's rows; `fit` makes weights, means and covariances of the others."""
    values = []
    for fold in range(max(folds) + 1):
        seen, out = ([n for n, f in enumerate(folds) if (f == fold) is held] for held in (False, True))
        log_density, _ = naive_e_step([rows[n] for n in out], *fit(seen))
        values.append(
            -2.0 * math.fsum(sample_weight[n] * one for n, one in zip(out, log_density, strict=True))
        )
    return values


def naive_fold_error(values, fold_weights):
    """The standard error of the sum of the values of folds."""
    count, mean = len(values), math.fsum(values) / math.fsum(fold_weights)
    apart = [value - mean * weight for value, weight in zip(values, fold_weights, strict=True)]
    return math.sqrt(count / (count - 1) * math.fsum(one * one for one in apart))


def naive_simplest(models):
    """Of (score, standard error, number of parameters): which has the fewest within one error of the smallest score."""
    smallest = min(models)
    near = [model for model in models if model[0] <= smallest[0] + smallest[1]]
    fewest = min(model[2] for model in near)
    return models.index(min(model for model in near if model[2] == fewest))


# --- K-means -----------------------------------------------------------------------------------


def naive_nearest(row, centers):
    """The number of the nearest center, the lowest among equals, and the squared distance to it."""
    squares = [
        math.fsum((float(x) - float(c)) ** 2 for x, c in zip(row, center, strict=True)) for center in centers
    ]
    return squares.index(min(squares)), min(squares)


def naive_lloyd(rows, centers, n_iter, sample_weight=None):
    """This many iterations of K-means; returns centers, and labels and inertia of them. No center may run empty."""
    sample_weight = [1.0] * len(rows) if sample_weight is None else [float(w) for w in sample_weight]
    centers = [list(map(float, center)) for center in centers]
    for _ in range(n_iter):
        labels = [naive_nearest(row, centers)[0] for row in rows]
        for k in range(len(centers)):
            mine = [(row, w) for row, w, label in zip(rows, sample_weight, labels, strict=True) if label == k]
            total = math.fsum(w for _, w in mine)
            centers[k] = [
                math.fsum(w * float(row[i]) for row, w in mine) / total for i in range(len(rows[0]))
            ]
    found = [naive_nearest(row, centers) for row in rows]
    inertia = math.fsum(w * square for w, (_, square) in zip(sample_weight, found, strict=True))
    return np.array(centers), np.array([label for label, _ in found]), inertia


# --- merging -----------------------------------------------------------------------------------


def naive_entropy(memberships, sample_weight):
    """Entropy of memberships, ``-sum w t log t``."""
    return naive_entropies(memberships, sample_weight)[0]


def naive_merge(memberships, sample_weight):
    """Merge the pair of columns whose sum leaves the least entropy, until one is left.

    Returns, for K, K - 1, ..., 1 clusters, the components of each cluster, ordered by the first, and the entropy.
    """
    groups = [(k,) for k in range(len(memberships[0]))]

    def added(groups):
        return [[math.fsum(float(row[k]) for k in group) for group in groups] for row in memberships]

    steps = [(tuple(groups), naive_entropy(added(groups), sample_weight))]
    while len(groups) > 1:
        tries = []
        for i in range(len(groups)):
            for j in range(i + 1, len(groups)):
                rest = [group for n, group in enumerate(groups) if n not in (i, j)]
                tried = sorted([*rest, tuple(sorted(groups[i] + groups[j]))])
                tries.append((naive_entropy(added(tried), sample_weight), tried))
        entropy, groups = min(tries, key=lambda one: one[0])
        steps.append((tuple(groups), entropy))
    return steps


def naive_bend(x, y):
    """The point, from 0, that two straight lines share whose least-squares fits leave the least sum of squares."""

    def loss(x, y):
        return float(np.sum((np.polyval(np.polyfit(x, y, 1), x) - y) ** 2))

    losses = {c: loss(x[: c + 1], y[: c + 1]) + loss(x[c:], y[c:]) for c in range(1, len(x) - 1)}
    return min(losses, key=losses.get)


# --- agglomeration -----------------------------------------------------------------------------


def _naive_scatter(rows):
    """The scatter matrix of rows about their mean, by loops."""
    d = len(rows[0])
    mean = [math.fsum(row[j] for row in rows) / len(rows) for j in range(d)]
    return np.array(
        [
            [math.fsum((row[i] - mean[i]) * (row[j] - mean[j]) for row in rows) for j in range(d)]
            for i in range(d)
        ]
    )


def naive_cluster_terms(criterion, groups, rows):
    """What agglomeration makes small, from its definition: ``groups`` are lists of row numbers."""
    n, d = len(rows), len(rows[0])
    scatters = [_naive_scatter([rows[i] for i in group]) for group in groups]
    floor = np.trace(_naive_scatter(rows)) / (n * d)
    if criterion == "EII":
        return math.fsum(np.trace(scatter) for scatter in scatters)
    if criterion == "EEE":
        pooled = sum(scatters) / n
        return np.linalg.det(pooled), np.trace(pooled), floor
    total = 0.0
    for group, scatter in zip(groups, scatters, strict=True):
        value = (np.trace(scatter) + floor) / len(group)
        if criterion == "VVV" and len(group) > d:
            value += np.linalg.det(scatter / len(group))
        total += len(group) * math.log(value)
    return total


def naive_agglomerate(criterion, rows, n_clusters):
    """Join two groups of rows at a time, always trying every pair; return labels numbered by first rows."""
    groups, determined = [[i] for i in range(len(rows))], False
    while len(groups) > n_clusters:
        tried = {}
        for j in range(len(groups)):
            for i in range(j):
                rest = [group for k, group in enumerate(groups) if k not in (i, j)]
                tried[i, j] = naive_cluster_terms(criterion, [*rest, groups[i] + groups[j]], rows)
        if criterion == "EEE":
            # As long as a determinant below the mean variance can be had, the trace is added to it.
            determined = (
                determined or min(det for det, _, _ in tried.values()) >= next(iter(tried.values()))[2]
            )
            tried = {pair: det + (0.0 if determined else trace) for pair, (det, trace, _) in tried.items()}
        i, j = min(tried, key=tried.get)
        groups[i] = groups[i] + groups[j]
        del groups[j]
        if criterion == "EEE":
            determined = (
                determined
                or naive_cluster_terms("EEE", groups, rows)[0]
                >= (naive_cluster_terms("EEE", groups, rows)[2])
            )
    labels = np.empty(len(rows), dtype=np.intp)
    for number, group in enumerate(sorted(groups, key=min)):
        labels[group] = number
    return labels


def naive_level_logs(levels, tables):
    """What the levels of one row add to the log density of each component; tables[j][k][level], a level below 0 is
    missing."""
    n_components = len(tables[0])
    return [
        sum(math.log(tables[j][k][level]) for j, level in enumerate(levels) if level >= 0)
        for k in range(n_components)
    ]


def naive_tables(levels, sample_weight, memberships, shares):
    """Probabilities of levels by component, each as if one more row were spread over the levels as the whole table."""
    n_components = len(memberships[0])
    tables = []
    for j, of_table in enumerate(shares):
        table = []
        for k in range(n_components):
            counts = list(of_table)
            for row, weight, row_shares in zip(levels, sample_weight, memberships, strict=True):
                if row[j] >= 0:
                    counts[row[j]] += weight * row_shares[k]
            table.append([one / sum(counts) for one in counts])
        tables.append(table)
    return tables


def naive_mixed_em(
    covariance_type, rows, levels, shares, weights, means, covariances, tables, n_iter, sample_weight=None,
    ridge=0.0,
):  # fmt: skip
    """This many EM iterations on continuous columns, whose missing cells are NaN, and levels of discrete ones."""
    sample_weight = [1.0] * len(rows) if sample_weight is None else [float(w) for w in sample_weight]
    log_likelihoods = []
    for _ in range(n_iter):
        full = naive_full_covariances(covariance_type, covariances, len(means), len(rows[0]))
        log_densities, memberships = [], []
        for row, row_levels in zip(rows, levels, strict=True):
            known = [j for j in range(len(row)) if not math.isnan(row[j])]
            seen = [float(row[j]) for j in known]
            beside = naive_level_logs(row_levels, tables)
            logs = [
                math.log(w)
                + naive_gaussian_log_density(seen, means[k][known], full[k][np.ix_(known, known)])
                + beside[k]
                for k, w in enumerate(weights)
            ]
            log_density, row_shares, _ = _responsibilities(logs, hard=False)
            log_densities.append(log_density)
            memberships.append(row_shares)
        log_likelihoods.append(
            math.fsum(w * one for w, one in zip(sample_weight, log_densities, strict=True))
        )
        tables = naive_tables(levels, sample_weight, memberships, shares)
        sums = naive_missing_sums(rows, sample_weight, memberships, means, full)
        weights, means, covariances = naive_missing_m_step(covariance_type, *sums, means, ridge)
    return weights, means, covariances, tables, log_likelihoods
