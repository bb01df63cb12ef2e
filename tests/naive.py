"""Slow, obvious truth: plain loops over rows, components and columns, with nothing but `math`."""

import math

import numpy as np

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


def naive_accumulate(rows, sample_weight, layout, means, factors, offsets, hard=False):
    """Sums, log densities, memberships and labels of one pass, row by row."""
    n_components, d = means.shape
    sums = [0.0] * (2 + n_components * (1 + d + _moments(layout, d)))
    log_densities, memberships, labels = [], [], []
    for n, row in enumerate(rows):
        weight = 1.0 if sample_weight is None else float(sample_weight[n])
        logs = [
            naive_component_log_density(row, layout, means, factors, offsets, k) for k in range(n_components)
        ]
        log_density, shares, label = _responsibilities(logs, hard)
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
