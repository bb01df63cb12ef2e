// Runs: several of a race, and many on samples of as many rows. Included by stretch.cpp alone, inside an anonymous
// namespace.
#pragma once

// One run after the other: those that are over are followed by the next one, whose target is the best end by then. Where
// there is no race they are over after their steps, too.
Index race_runs(const Contest& c) {
    const StretchSizes sizes(c.stretch);
    double* room = static_cast<double*>(std::malloc(sizeof(double) * static_cast<std::size_t>(Climb::room(sizes))));
    if (!room) return -1;
    Stretch one = c.stretch;
    Race race{};
    if (one.race) race = *one.race, one.race = &race;
    Index at = 0, r = 0;
    for (bool over = true; over && r < c.n_runs && (at < c.n_frames || r == 0); ++r) {
        one.state = c.states + r * sizes.state(), one.film = c.film + at * sizes.frame();
        one.n_steps = std::min(c.stretch.n_steps, c.n_frames - at);
        Climb climb(one, sizes, room);
        if (c.begins) climb.begin(one.state + stretch_scalars);
        Index done = 0;
        const Ending ending = climb(&done);
        double* found = c.found + 3 * r;
        found[0] = static_cast<double>(done), found[1] = static_cast<double>(ending), found[2] = race.target;
        at += done;
        over = ending == Ending::satisfied || ending == Ending::abandoned || (!one.race && ending == Ending::complete);
        const double reached = climb.peak * race.weight;
        if (ending == Ending::satisfied && reached > race.target)
            race.target = reached, one.known = one.film + (done - 1) * sizes.frame() + 3;
    }
    std::free(room);
    return r;
}

// The arrays of one sample: those of the first, moved on.
inline Stretch stretch_of(const Stretch& first, Index sample) {
    Stretch one = first;
    ClosedForm& f = one.form.step;
    const Index n = first.pass.n, d = first.pass.d;
    one.pass.rows64 += sample * n * d;
    if (f.bound) f.bound += sample * (f.diagonal ? d : d * d);
    if (one.total_mean) one.total_mean += sample * d;
    if (one.total_second) one.total_second += sample * d * d;
    return one;
}

bool finish_runs(const Runs& runs) {
    const StretchSizes sizes(runs.stretch);
    const Index size = sizes.state() + Climb::room(sizes);
    double* room = static_cast<double*>(std::malloc(sizeof(double) * static_cast<std::size_t>(size)));
    if (!room) return false;
    for (Index r = 0; r < runs.n_runs; ++r) {
        Stretch one = stretch_of(runs.stretch, runs.samples[r]);
        one.state = room;
        Climb climb(one, sizes, room + sizes.state());
        climb.begin(runs.starts + r * sizes.model);
        Index done = 0;
        const Ending ending = climb(&done);
        double* found = runs.found + 3 * r;
        found[0] = climb.evaluate(runs.ends + r * sizes.model);
        found[1] = static_cast<double>(done), found[2] = static_cast<double>(ending);
    }
    std::free(room);
    return true;
}
