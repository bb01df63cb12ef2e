// When a race looks at a run: a stretch ends there. fit/racing.py is the twin, and says why.
#pragma once

#include <cmath>

namespace mixtura {

// Nats of the total log-likelihood, and numbers of steps.
struct Race {
    double target, near;              // of the best end so far; how far below it an end is of interest, too
    double same, almost;              // above and below the target: where a run may be coming to that end
    double settled, first;            // the first look, and until when a run may be hopeless
    double hopeless, allowed, speed;  // behind the target, before the first look and at it; gains to come, in latest ones
};

constexpr int race_numbers = sizeof(Race) / sizeof(double);

struct Watch {
    const Race* race;           // nullptr where there is none
    double latest = -HUGE_VAL;  // gain of the step before, if it was seen

    // Whether the run is looked at after a step that led from one mean log-likelihood to another.
    bool looks(double n_made, double before, double after, double weight) {
        const double gain = std::fmax(after - before, latest) * weight;
        latest = after - before;
        if (!race || n_made < race->settled) return false;
        const double lacking = race->target - after * weight, apart = lacking - race->near;
        const bool was_close = n_made > race->settled && is_close(race->target - before * weight);
        if (is_close(lacking) && !was_close) return true;
        return n_made < race->first && apart > race->hopeless &&
               apart - race->allowed > race->speed * gain * (race->first - n_made);
    }

private:
    bool is_close(double lacking) const { return -race->same <= lacking && lacking <= race->almost; }
};

}  // namespace mixtura
