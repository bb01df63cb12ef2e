// The two halves of a step: sums of a pass, and the model that they lead to. Included by stretch.cpp alone, inside an
// anonymous namespace.
#pragma once

constexpr double narrowing = 3.0;  // nats of a log-determinant
constexpr double largest_cancellation = 1e6;
constexpr Index most_laid = Index{1} << 20;

struct Steps {
    Steps(const Stretch& stretch, const StretchSizes& sizes, double* room)
        : t(stretch), z(sizes), s(stretch.state, sizes), about(room), sums(about + z.k * z.d), part(about + z.sums),
          completed(part + z.sums), factors(completed + z.sums + z.d * z.d), next_model(factors + z.factors),
          seen(next_model + z.model), beside(seen + z.table + 2 * z.k), shares(beside + z.beside),
          background(shares + z.beside), tables(background + z.noise * z.block),
          status(reinterpret_cast<Status*>(tables + 2 * z.tails * (z.d + 1))) {}

    ~Steps() { std::free(kept), std::free(laid); }
    Steps(const Steps&) = delete;

    static Index room(const StretchSizes& z) {
        return 3 * z.sums + z.d * z.d + z.factors + z.model + z.table + 2 * z.beside + 3 * z.k + z.noise * z.block +
               2 * z.tails * (z.d + 1);
    }

    // The sums of a pass, about the means of the model.
    bool gather() {
        const Model m(s.model, z);
        std::copy(m.means, m.means + z.k * z.d, about);
        Pass pass = t.pass;
        pass.means = m.means, pass.factors = factors_of(m), pass.offsets = m.offsets;
        pass.kept = t.pass.n <= t.block ? &kept : nullptr;
        lay_out();
        if (z.tails > 0) {
            tail_tables(z.k, z.d, m.freedom, tables);
            pass.freedom = m.freedom, pass.tails = tables;
        }
        const double share = !t.noise ? 0.0 : *m.noise > 0.0 ? std::log(*m.noise) : -HUGE_VAL;
        pass.background = t.noise ? background : nullptr;
        const Index size = z.sums - z.k * z.d;
        std::fill(sums, sums + size, 0.0);
        for (Index start = 0; start < t.pass.n; start += t.block) {
            pass.n = std::min(t.block, t.pass.n - start);
            pass.rows64 = t.pass.rows64 ? t.pass.rows64 + start * z.d : nullptr;
            pass.rows32 = t.pass.rows32 ? t.pass.rows32 + start * z.d : nullptr;
            pass.weight = t.pass.weight ? t.pass.weight + start : nullptr;
            pass.order = t.pass.order ? t.pass.order + start : nullptr;
            pass.laid = laid ? laid + start / t.block * laid_size(t.block, z.d) : nullptr;
            std::fill(part, part + size, 0.0);
            pass.sums = part;
            for (Index i = 0; i < pass.n && t.noise; ++i) background[i] = share + t.noise[start + i];
            const std::int32_t* of_rows = z.table > 0 ? t.levels.of_rows + start * t.levels.n_columns : nullptr;
            if (of_rows) {
                std::fill(beside, beside + pass.n * z.k, 0.0);
                variant.add_levels(pass.n, t.levels.n_columns, z.k, of_rows, m.table, beside);
                pass.beside = beside, pass.memberships = shares;
            }
            if (!variant.run(pass)) return false;
            if (of_rows)
                variant.count_levels(pass.n, t.levels.n_columns, z.k, of_rows, pass.weight, shares, levels_of(part));
            for (Index i = 0; i < size; ++i) sums[i] += part[i];
        }
        return true;
    }

    // Room for the rows as a pass takes them, where that is little: those of one pass stay for the others.
    void lay_out() {
        const Index size = (t.pass.n / t.block + 1) * laid_size(std::min(t.block, t.pass.n), z.d) + 8;
        if (!laid && z.layout != Layout::shared && !t.pass.order && size <= most_laid)
            laid = static_cast<double*>(std::calloc(static_cast<std::size_t>(size), sizeof(double)));
    }

    // Whitening factors as the layout has them.
    const double* factors_of(const Model& m) const {
        const bool diagonal = t.form.step.diagonal, dense = z.layout == Layout::dense;
        if (z.layout == Layout::diagonal || !(diagonal || (dense && t.form.step.pooled))) return m.whitening;
        const Index d = z.d;
        for (Index c = 0; c < (dense ? z.k : 1); ++c)
            for (Index i = 0; i < d * d; ++i)
                factors[c * d * d + i] = !diagonal ? m.whitening[i] : i % (d + 1) == 0 ? m.whitening[c * d + i % d] : 0.0;
        return factors;
    }

    double* levels_of(double* of) const { return of + 2 + z.gaussian + 2 * z.tails; }

    // The model that sums lead to, from the one that weighted the rows; false where it is not found with ease, among it
    // where the sums are hardly those of any rows.
    bool maximize(const double* center, double* before, double* out) {
        are_doubtful = false;
        const Index kd = z.k * z.d, size = 2 + z.gaussian, d = z.d;
        const double *given = center + kd, *tails = given + size, *levels = tails + 2 * z.tails;
        const bool pooled = z.layout == Layout::shared;
        if (pooled) {
            std::copy(given, given + size, completed);
            double* within = completed + size;
            std::copy(t.total_second, t.total_second + d * d, within);
            for (Index c = 0; c < z.k; ++c)
                for (Index i = 0; i < d; ++i) {
                    const double shift = center[c * d + i] - t.total_mean[i];
                    const double half = 0.5 * given[2 + c] * shift + given[2 + z.k + c * d + i];
                    for (Index j = 0; j < d; ++j) {
                        const double cross = half * (center[c * d + j] - t.total_mean[j]);
                        within[i * d + j] -= cross;
                        within[j * d + i] -= cross;
                    }
                }
        }
        CommonForm form = t.form;
        ClosedForm& f = form.step;
        const Model to(out, z), from(before, z);
        f.means = center, f.sums = pooled ? completed : given, f.packed = z.layout == Layout::dense;
        if (z.tails > 0) {
            as_gaussian(z, center, completed);
            f.means = completed, f.sums = completed + kd;
            maximize_tails(t.freedom, z.k, given + 2, tails + z.k, to.freedom);
        }
        f.weights = to.weights, f.centers = to.means, f.covariances = to.covariances, f.whitening = to.whitening;
        f.log_determinants = to.logs, f.offsets = to.offsets, f.status = status;
        form.before = from.covariances, form.whitening = from.whitening;
        if (z.table > 0 && !maximize_levels(t.levels, z.k, levels, seen, to.table)) return false;
        const bool found = t.is_common ? algebra.common_form(form) : algebra.closed_form(f);
        are_doubtful = !found && t.is_common && std::find(status, status + z.k, singular) < status + z.k;
        if (!found || (pooled && !is_precise(to))) return false;
        return !t.noise || leave_to_noise(z, given, to);
    }

    // Whether what components share kept its digits beside the total variances.
    bool is_precise(const Model& m) const {
        const Index n = t.form.step.diagonal ? z.k : 1;
        for (Index i = 0; i < n * z.d; ++i) {
            const Index j = i % z.d;
            const double left = m.whitening[t.form.step.diagonal ? i : j * (z.d + 1)];
            if (t.total_second[j * (z.d + 1)] / sums[1] * left * left > largest_cancellation) return false;
        }
        return true;
    }

    // The plain step; second moments may have cancelled where a component narrows much.
    bool finish(double* before, const double* center) {
        if (!maximize(center, before, next_model)) return false;
        const Model m(next_model, z), last(before, z);
        for (Index c = 0; c < z.logs && z.layout != Layout::shared && z.tails == 0; ++c)
            if (m.logs[c] - last.logs[c] > narrowing) return false;
        std::copy(next_model, next_model + z.model, s.model);
        return true;
    }

    const Stretch& t;
    const StretchSizes& z;
    const State s;
    double *about, *sums, *part, *completed, *factors, *next_model, *seen, *beside, *shares, *background, *tables;  // sums stand after their means
    Status* status;
    void* kept = nullptr;  // of passes
    double* laid = nullptr;
    bool are_doubtful = false;
};
