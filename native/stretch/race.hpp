// When a race looks at a run: a stretch ends there. fit/racing.py is the twin, and says why.
#pragma once

#include <cmath>

namespace mixtura {

constexpr int race_checks = 4;

// Nats of the total log-likelihood, and numbers of steps.
struct Race {
    double target, near, weight;                      // of the best end so far; how far below it an end is of interest, too; of all rows
    double same, almost;                              // above and below the target: where a run may be coming to that end
    double settled, hopeless, speed;                  // the first look; nats behind, and gains to come in latest ones, of runs without hope
    double steps[race_checks], behind[race_checks];   // after these a run that is so far behind ends
};

constexpr int race_numbers = sizeof(Race) / sizeof(double);

struct Watch {
    enum class Sight { nothing, end, close };

    const Race* race;           // nullptr where there is none
    double latest = -HUGE_VAL;  // gain of the step before, if it was seen

    // What is seen of a run after a step that led from one mean log-likelihood to another: that it is to end, or close.
    Sight look(double n_made, double before, double after) {
        const double change = after - before, best = std::fmax(change, latest);
        latest = change;
        if (!race) return Sight::nothing;
        const double lacking = race->target - after * race->weight, apart = lacking - race->near, first = race->steps[0];
        for (int i = 0; i < race_checks; ++i)
            if (n_made == race->steps[i] && apart > race->behind[i]) return Sight::end;
        if (n_made < race->settled) return Sight::nothing;
        if (n_made < first && apart > race->hopeless &&
            apart - race->behind[0] > race->speed * best * race->weight * (first - n_made))
            return Sight::end;
        return is_close(lacking) ? Sight::close : Sight::nothing;
    }

    // Whether a run was close before a step, too.
    bool was_close(double n_made, double before) const {
        return n_made > race->settled && is_close(race->target - before * race->weight);
    }

private:
    bool is_close(double lacking) const { return -race->same <= lacking && lacking <= race->almost; }
};

}  // namespace mixtura
