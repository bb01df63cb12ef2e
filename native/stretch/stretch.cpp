// A stretch of expectation-maximization: passes over rows in memory with the steps between them, compiled once per
// instruction set. fit/steps/em.py and fit/steps/accelerated.py are the twins, and say why each step is what it is.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "stretch.hpp"

namespace mixtura {
namespace MIXTURA_VARIANT {
namespace {

#include "state.hpp"
#include "alike.hpp"
#include "curvature.hpp"
#include "gains.hpp"
#include "levels.hpp"
#include "beside.hpp"
#include "steps.hpp"

enum class Found { trouble, none, ahead };

constexpr double last_digits = 1e-13;            // share of an objective by which rounding may lower it
constexpr double empty_count = 10 * 2.220446049250313e-16;
constexpr double margin = 0.5, least_margin = 1e-3;
constexpr double largest_step = 0.7, first_step = 0.3;
constexpr Index ahead_passes = 20, unsettled = 25, coordinates_age = 3, confirm = 3;
constexpr Index kept_every = 8;  // steps after which the state is kept, to come back to before trouble

class Climb : Steps {
public:
    Climb(const Stretch& stretch, const StretchSizes& sizes, double* room)
        : Steps(stretch, sizes, room), gradient(room + Steps::room(sizes)), direction(gradient + z.point),
          points(direction + z.point), state_before(points + 2 * stretch_pairs * z.point) {}

    static Index room(const StretchSizes& z) { return Steps::room(z) + (2 + 2 * stretch_pairs) * z.point + z.state(); }

    Ending operator()(Index* done) {
        for (*done = 0; *done < t.n_steps; ++*done) {
            Kind kind = plain;
            double objective;
            const double before = s[previous];
            if (*done % kept_every == 0) std::copy(s.scalars, s.scalars + z.state(), state_before);
            if (!step(kind, objective)) return back_to(*done), Ending::trouble;
            if (t.film) {
                double* frame = t.film + *done * z.frame();
                frame[0] = objective, frame[1] = kind, frame[2] = s[has_trial];
                std::copy(s.model, s.model + z.model, frame + 3);
            }
            peak = std::fmax(peak, objective);
            if (is_satisfied(s, kind, objective, sums[1], t.enough)) return ++*done, Ending::satisfied;
            const Watch::Sight sight = watch.look(s[n_made], before, objective);
            if (sight == Watch::Sight::end || (sight == Watch::Sight::close && comes_to_the_known_end(*done)))
                return ++*done, Ending::abandoned;
            if (sight == Watch::Sight::close && !t.alone && !watch.was_close(s[n_made], before)) return ++*done, Ending::looked_at;
        }
        return Ending::complete;
    }

    // A run sets out from a model.
    void begin(const double* start) {
        std::fill(s.scalars, s.scalars + stretch_scalars, 0.0);
        if (start != s.model) std::copy(start, start + z.model, s.model);
        s[previous] = -infinity;
        if (t.warmup == 0) begin_acceleration();
    }

    // After trouble: to the state before a step.
    void back_to(Index step_number) {
        std::copy(state_before, state_before + z.state(), s.scalars);
        for (Index i = step_number - step_number % kept_every; i < step_number; ++i) {
            Kind kind = plain;
            double objective = 0.0;
            if (step(kind, objective)) is_satisfied(s, kind, objective, sums[1], t.enough);
        }
    }

    double peak = -infinity;  // the best mean log-likelihood of its models

    // The log-likelihood of the model that it has come to; not a number where a pass fails.
    double evaluate(double* end) {
        std::copy(s.model, s.model + z.model, end);
        return gather() ? sums[0] : std::nan("");
    }

private:
    // One step; false where it takes more care than is taken here.
    bool step(Kind& kind, double& objective) {
        if (!gather()) return false;
        objective = (sums[0] + log_prior(t.levels, z.k, Model(s.model, z).table)) / sums[1];
        if (!std::isfinite(objective)) return false;
        const double fall = s[previous] - objective;
        if (!s.is(has_trial) && fall > last_digits * std::fabs(objective)) return false;
        if (!s.is(is_accelerated)) {
            if (!finish(s.model, about)) return false;
            s[n_made] += 1.0;
            if (t.warmup >= 0 && s.count(n_made) >= t.warmup) begin_acceleration();
            return true;
        }
        s[n_made] += 1.0;
        return accelerated(kind, objective);
    }

    void begin_acceleration() {
        const double made = s[n_made], before = s[previous];
        double kept[4];
        std::copy(s.scalars + n_plain, s.scalars + n_plain + 4, kept);
        std::fill(s.scalars, s.scalars + stretch_scalars, 0.0);
        std::copy(kept, kept + 4, s.scalars + n_plain);
        s[n_made] = made, s[previous] = before, s[is_accelerated] = 1.0;
        s[best_then] = infinity, s[best] = -infinity, s[radius] = first_step, s[little] = margin * t.tolerance;
        forget(s);
    }

    bool accelerated(Kind& kind, double& objective) {
        const double change = (objective - s[best]) * sums[1];
        const bool on_trial = s.is(has_trial);
        s[has_trial] = 0.0;
        if (on_trial && !(change >= 0.0)) return reject(kind, objective);
        s[n_passes] += 1.0;
        s[best] = objective;
        if (on_trial) {
            kind = extrapolated;
            s[n_changes] = 0.0;
            adapt(change);
            std::copy(s.trial, s.trial + z.sums, s.entered);
            std::copy(s.trial_point, s.trial_point + z.point, s.point);
            s[has_entered] = 1.0, s[entered_is_last] = 0.0;
        } else {
            push(s, n_changes, change_0, change);
            std::copy(s.left, s.left + z.point, s.point);
        }
        if (s.is(has_entered)) remember();
        if (!s.is(active)) s[active] = is_slow();
        const Found found = s.is(active) ? look_ahead() : Found::none;
        if (found == Found::none) return plain_step(s.model, about);
        return found == Found::ahead;
    }

    bool plain_step(double* before, const double* center) {
        if (!finish(before, center)) return false;
        s[entered_is_last] = s.is(has_entered) && s[n_history] > 0.0;
        std::copy(center, center + z.sums, s.entered);
        s[has_entered] = 1.0;
        return true;
    }

    // Back to where the trial set out.
    bool reject(Kind& kind, double& objective) {
        kind = rejected, objective = s[best];
        s[radius] = std::fmin(s[radius], s[trial_length]) / 4;
        s[n_changes] = 0.0;
        if (s.is(has_coordinates)) {
            if (!coordinates(about, points)) return false;
            for (Index i = 0; i < z.point; ++i) gradient[i] = points[i] - s.trial_point[i];
            learn_one(s, s.trial_point, gradient, true);
        }
        std::copy(s.trial_left, s.trial_left + z.point, s.left);
        return plain_step(s.origin_model, s.origin);
    }

    void adapt(double gain) {
        if (gain > 0.5 * s[trial_expected])
            s[radius] = std::fmin(largest_step, std::fmax(s[radius], 2 * s[trial_length]));
        else if (gain < 0.1 * s[trial_expected])
            s[radius] = s[trial_length] / 2;
    }

    // The sums that the model was made of, and those of its pass.
    void remember() {
        Index at = s.count(n_history);
        if (at == stretch_pairs) {
            --at;
            std::memmove(s.history, s.pair(1), sizeof(double) * static_cast<std::size_t>(2 * at * z.sums));
            std::memmove(s.linked, s.linked + 1, sizeof(double) * static_cast<std::size_t>(at));
        }
        s.linked[at] = s[entered_is_last];
        std::copy(s.entered, s.entered + z.sums, s.pair(at));
        std::copy(about, about + z.sums, s.pair(at) + z.sums);
        s[n_history] = static_cast<double>(at + 1);
    }

    bool is_slow() const {
        if (s[n_changes] < 3.0) return false;
        const double change = s[change_0], before = s[change_1];
        if (!(change < before)) return s[n_passes] > unsettled;
        const double left = remaining_gain(change, before);
        if (!(before < s[change_2] && left > t.tolerance)) return false;
        return std::log(t.tolerance / left) / std::log(change / before) > ahead_passes;
    }

    Found look_ahead() {
        s[confirming] = std::fmax(0.0, s[confirming] - 1.0);
        if (!learn()) return Found::trouble;
        if (!s.is(has_coordinates) || s.is(confirming) || !s.is(n_curvature)) return Found::none;
        const Index p = z.point;
        for (Index i = 0; i < p; ++i) gradient[i] = s.left[i] - s.point[i];
        if (!algebra.newton_direction(s.count(n_curvature), p, s.moves, s.drops, gradient, direction)) return Found::trouble;
        const double slope = product(gradient, direction, p);
        const bool concave = s.is(is_concave);
        if (concave && is_near_the_end(0.5 * slope)) {
            s[confirming] = confirm;
            return Found::none;
        }
        double length = algebra.largest_change(z.k, z.d, z.moments, direction, s.roots);
        length = largest_level_change(t.levels, s, direction + z.gaussian, length);
        length = largest_tail_change(s, direction + z.gaussian + z.open, length);
        if (length == 0.0) return Found::none;
        const double share = concave ? std::fmin(s[radius] / length, 1.0) : s[radius] / length;
        if (!std::isfinite(share) || !std::isfinite(slope)) return Found::trouble;
        if (share * share * product(direction, direction, p) <= product(gradient, gradient, p)) {
            s[radius] *= 2.0;
            return Found::none;
        }
        s[trial_length] = share * length;
        s[trial_expected] = slope * share * (concave ? 1.0 - 0.5 * share : 1.0);
        for (Index i = 0; i < p; ++i) s.trial_point[i] = s.point[i] + share * direction[i];
        return attempt();
    }

    // Little is left to gain; after each time that more was gained than that, less must be left.
    bool is_near_the_end(double left) {
        if (!(left < s[little])) return false;
        if ((s[best] - s[best_then]) * sums[1] > s[little]) s[little] = std::fmax(s[little] / 4, least_margin * t.tolerance);
        s[best_then] = s[best];
        return left < s[little];
    }

    Found attempt() {
        const Index kd = z.k * z.d;
        double* trial_sums = s.trial + kd;
        std::copy(s.about, s.about + kd, s.trial);
        const Whitened w{1, z.k, z.d, static_cast<int>(z.layout), nullptr, s.trial_point, nullptr, s.coloring, s.roots, trial_sums};
        if (!algebra.color_sums(w)) return Found::trouble;
        trial_sums[0] = sums[0], trial_sums[1] = sums[1];
        for (Index c = 0; c < z.k; ++c)
            if (!(trial_sums[2 + c] > 0.0)) return Found::none;
        level_counts(s, s.trial_point + z.gaussian, trial_sums + 2, levels_of(sums), levels_of(trial_sums));
        tail_sums(s, s.trial_point + z.gaussian + z.open, trial_sums + 2, trial_sums + 2 + z.gaussian);
        if (!maximize(s.trial, s.model, next_model)) {
            if (are_doubtful) s[radius] /= 4;
            return are_doubtful ? Found::none : Found::trouble;
        }
        std::copy(s.model, s.model + z.model, s.origin_model);
        std::copy(about, about + z.sums, s.origin);
        std::copy(s.left, s.left + z.point, s.trial_left);
        std::copy(next_model, next_model + z.model, s.model);
        s[has_trial] = 1.0;
        return Found::ahead;
    }

    // Takes in the sums of a pass; false out of memory.
    bool learn() {
        bool all = s.is(has_entered);
        for (Index c = 0; c < z.k; ++c) all = all && sums[2 + c] > empty_count;
        if (!all) {
            s[has_coordinates] = s[n_history] = 0.0;
            return true;
        }
        s[age] += 1.0;
        if (!s.is(has_coordinates) || s[age] >= coordinates_age) {
            if (!relearn()) return false;
        } else {
            if (!coordinates(about, s.left)) return false;
            for (Index i = 0; i < z.point; ++i) gradient[i] = s.left[i] - s.point[i];
            learn_one(s, s.point, gradient, false);
        }
        double total = 0.0;
        for (Index i = 0; i < z.point; ++i) total += s.left[i];
        if (!std::isfinite(total) || !s.is(is_finite_so_far)) s[has_coordinates] = 0.0;
        return true;
    }

    // The coordinates of sums with their means.
    bool coordinates(const double* of, double* out) const {
        const double *given = of + z.k * z.d, *tails = given + 2 + z.gaussian;
        level_coordinates(t.levels, s, tails + 2 * z.tails, out + z.gaussian);
        if (z.tails > 0) {
            tail_coordinates(s, given + 2, tails + z.k, out + z.gaussian + z.open);
            as_gaussian(z, of, completed);
            of = completed, given = of + z.k * z.d;
        }
        return algebra.whiten_sums({1, z.k, z.d, static_cast<int>(z.layout), of, given, s.about, s.whitening, s.roots, out});
    }

    // Lays coordinates about the model, and brings into them what is remembered.
    bool relearn() {
        const Model m(s.model, z);
        const Index d = z.d, p = z.point;
        std::copy(m.means, m.means + z.k * d, s.about);
        for (Index c = 0; c < z.k; ++c) s.roots[c] = std::sqrt(sums[2 + c]);
        const double* from = factors_of(m);
        std::copy(from, from + z.factors, s.whitening);
        for (Index i = 0; i < z.factors && z.layout == Layout::diagonal; ++i) s.coloring[i] = 1.0 / s.whitening[i];
        for (Index i = 0; i < z.factors && z.layout != Layout::diagonal; i += d * d)
            invert_lower(d, s.whitening + i, s.coloring + i);
        lay_levels(t.levels, s, m.table, levels_of(sums));
        lay_tails(s, m.freedom);
        s[has_coordinates] = 1.0, s[age] = 0.0;
        forget(s);
        for (Index i = 0; i < s.count(n_history); ++i) {
            double *before = points + 2 * i * p, *after = before + p;
            if (i > 0 && s.linked[i] != 0.0)
                std::copy(before - p, before, before);
            else if (!coordinates(s.pair(i), before))
                return false;
            if (!coordinates(s.pair(i) + z.sums, after)) return false;
            for (Index j = 0; j < p; ++j) gradient[j] = after[j] - before[j];
            learn_one(s, before, gradient, false);
            std::copy(before, after, s.point);
            std::copy(after, after + p, s.left);
        }
        return true;
    }

    // Whether the model that entered a step, the frame before it, is near the known one.
    bool comes_to_the_known_end(Index step) const {
        return t.known && step > 0 && are_alike(t, z, Model(t.film + (step - 1) * z.frame() + 3, z), Model(t.known, z), next_model);
    }

    double *gradient, *direction, *points, *state_before;
    Watch watch{t.race};
};

#include "runs.hpp"

}  // namespace

const Advance advance = race_runs;
const Finish finish = finish_runs;

}  // namespace MIXTURA_VARIANT
}  // namespace mixtura
