// The memory of a pass. Included by pass.cpp alone, inside an anonymous namespace.
#pragma once

struct Part { double** place; Index length; };

// The first cache line in a piece of memory.
inline double* align(void* memory) {
    return static_cast<double*>(memory) + (64 - reinterpret_cast<std::uintptr_t>(memory) % 64) % 64 / 8;
}

// One allocation for arrays of doubles, or of what is as long, each on a cache line; null if memory is exhausted.
template <Index n>
void* allocate_parts(const Part (&parts)[n]) {
    Index total = 8;
    for (const Part& part : parts) total += round_up(part.length, 8);
    void* memory = std::malloc(static_cast<std::size_t>(total) * sizeof(double));
    if (!memory) return nullptr;
    double* next = align(memory);
    for (const Part& part : parts) {
        *part.place = next;
        next += round_up(part.length, 8);
    }
    return memory;
}

// Room for blocks of this many rows.
void* allocate(const Pass& pass, Work& work, Index rows) {
    Block& b = work.block;
    b = Block{};
    b.stride = rows;
    b.row_bytes = pass.d * static_cast<Index>(pass.rows64 ? sizeof(double) : sizeof(float));
    const Index n = b.stride, d = pass.d, k = pass.k, size = sums_size(pass.layout, k, d, pass.freedom);
    Missing& m = work.missing;
    m = Missing{};
    const Index miss = pass.order ? 1 : 0, lanes = pass.layout == Layout::diagonal ? 0 : miss;
    const Index sets = sets_of(pass.layout, k);
    double *labels, *columns, *patterns, *at, *counted, *head;
    void* memory = allocate_parts({
        {&head, sizeof(Work) / sizeof(double) + 1}, {&b.x, d * n}, {&b.logs, k * n}, {&b.scratch, d * n}, {&b.weighted, tile_size * n}, {&b.w, n}, {&b.top, n},
        {&b.inverse, n}, {&b.background, n}, {&labels, n}, {&at, n / W}, {&counted, n / W},
        {&b.latent, pass.freedom ? k * n : 0}, {&b.observed, n}, {&b.cross, n}, {&work.sums, size}, {&work.center, d},
        {&work.whitened, k * d}, {&m.filled, lanes * k * d * n}, {&m.gradient, lanes * k * d * n + 8},
        {&m.spread, lanes * n * sets * triangle(d) * W}, {&m.precision, lanes * sets * d * d * W},
        {&m.factor, miss * triangle(d) * W}, {&m.constant, miss * k * n}, {&m.zero, lanes * d},
        {&columns, miss * n * d}, {&patterns, miss * n * 3}});
    if (!memory) return nullptr;
    b.labels = reinterpret_cast<std::intptr_t*>(labels);
    m.columns = reinterpret_cast<Index*>(columns);
    m.patterns = reinterpret_cast<Pattern*>(patterns);
    for (Index i = 0; i < n / W; ++i) reinterpret_cast<Index*>(at)[i] = i * W;
    b.at = reinterpret_cast<const Index*>(at);
    b.counted = reinterpret_cast<Index*>(counted);
    if (!pass.scores || pass.hard) b.cross = nullptr;
    std::memset(m.zero, 0, static_cast<std::size_t>(lanes * d) * sizeof(double));
    work.size = size;
    work.place_sums(pass);
    work.gaps = pass.order;
    work.order = pass.order;
    work.head = head;
    return memory;
}

// Room for a pass, that of the one before it where it is kept; null out of memory.
void* make_room(const Pass& pass, Work& work, Index rows) {
    void* memory = pass.kept ? *pass.kept : nullptr;
    if (memory)
        std::memcpy(&work, align(memory), sizeof work);
    else
        memory = allocate(pass, work, rows);
    if (!memory) return nullptr;
    std::memset(work.sums, 0, static_cast<std::size_t>(work.size) * sizeof(double));
    work.entropies[0] = work.entropies[1] = 0.0;
    return memory;
}

// The room is given back, or kept for the next pass over the same rows, which have to be one block.
void leave_room(const Pass& pass, const Work& work, void* memory, bool lies) {
    const bool keep = pass.kept && lies && pass.n <= work.block.stride && pass.layout != Layout::shared && !pass.order;
    if (keep) std::memcpy(work.head, &work, sizeof work);
    if (!keep) std::free(memory);
    if (pass.kept) *pass.kept = keep ? memory : nullptr;
}
