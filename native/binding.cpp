// The one file that knows Python: arrays in, the chosen variant runs without the interpreter lock.
//
// Arrays come by the buffer protocol, which costs a few tens of nanoseconds each; what does not fit raises
// TypeError or ValueError, and kernels/native.py says in words what was wrong.
#include <nanobind/nanobind.h>

#include <new>
#include <stdexcept>

#include "kernel.hpp"

namespace nb = nanobind;

namespace mixtura {
namespace {

// A C-contiguous array for the time of a call.
class Array {
  public:
    Array(nb::handle object, bool written = false) : given_(!object.is_none()) {
        if (!given_) return;
        const int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (written ? PyBUF_WRITABLE : 0);
        if (PyObject_GetBuffer(object.ptr(), &view_, flags) != 0) throw nb::python_error();
    }
    ~Array() {
        if (given_) PyBuffer_Release(&view_);
    }
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;

    bool given() const { return given_; }
    Index size(int axis) const { return axis < view_.ndim ? view_.shape[axis] : -1; }
    char type() const { return view_.format[0] == '\0' || view_.format[1] != '\0' ? '\0' : view_.format[0]; }

    // The values, after a look at their type and at all sizes; null where nothing was given.
    template <typename T>
    T* values(std::initializer_list<Index> shape) const {
        if (!given_) return nullptr;
        bool fits = view_.ndim == static_cast<int>(shape.size()) && type_is<T>();
        int axis = 0;
        for (Index length : shape) fits = fits && size(axis++) == length;
        if (!fits) throw std::invalid_argument("an array has another type or shape than the kernel needs");
        return static_cast<T*>(view_.buf);
    }

  private:
    template <typename T>
    bool type_is() const {
        if constexpr (std::is_same_v<std::remove_const_t<T>, double>) return type() == 'd';
        if constexpr (std::is_same_v<std::remove_const_t<T>, float>) return type() == 'f';
        return (type() == 'l' || type() == 'q' || type() == 'n') && view_.itemsize == sizeof(std::intptr_t);
    }

    bool given_;
    Py_buffer view_{};
};

const Variant* const variants[] = {
#ifdef MIXTURA_X86
    &variant_avx512, &variant_avx2,
#endif
    &variant_baseline};
constexpr int n_variants = sizeof(variants) / sizeof(variants[0]);

// Whether this machine, and its operating system, run the variant.
bool runs(const Variant* variant) {
#ifdef MIXTURA_X86
    __builtin_cpu_init();
    if (variant == &variant_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
    if (variant == &variant_avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return variant == &variant_baseline;
}

nb::list names(bool supported) {
    nb::list out;
    for (const Variant* variant : variants)
        if (!supported || runs(variant)) out.append(variant->name);
    return out;
}

const Variant& variant_at(int index) {
    if (index < 0 || index >= n_variants || !runs(variants[index]))
        throw std::invalid_argument("this machine does not run that instruction set");
    return *variants[index];
}

Layout layout_at(int index) {
    if (index < 0 || index > 2) throw std::invalid_argument("the layout is 0, 1 or 2");
    return static_cast<Layout>(index);
}

// Rows, weights, means and sums: what both kinds of pass have.
Pass common(int layout, const Array& rows, const Array& weight, const Array& means, const Array& sums) {
    Pass pass{};
    pass.layout = layout_at(layout);
    pass.n = rows.size(0);
    pass.k = means.size(0);
    pass.d = means.size(1);
    if (rows.type() == 'f')
        pass.rows32 = rows.values<const float>({pass.n, pass.d});
    else
        pass.rows64 = rows.values<const double>({pass.n, pass.d});
    pass.weight = weight.values<const double>({pass.n});
    pass.means = means.values<const double>({pass.k, pass.d});
    pass.sums = sums.values<double>({sums_size(pass.layout, pass.k, pass.d)});
    return pass;
}

void run(const Variant& variant, const Pass& pass) {
    bool done;
    {
        nb::gil_scoped_release unlocked;
        done = variant.run(pass);
    }
    if (!done) throw std::bad_alloc();
}

void accumulate(int variant, int layout, nb::handle rows_, nb::handle weight_, nb::handle means_, nb::handle factors_,
                nb::handle offsets_, nb::handle sums_, nb::handle log_density_, nb::handle memberships_,
                nb::handle labels_, bool hard) {
    const Array rows(rows_), weight(weight_), means(means_), factors(factors_), offsets(offsets_), sums(sums_, true),
        log_density(log_density_, true), memberships(memberships_, true), labels(labels_, true);
    Pass pass = common(layout, rows, weight, means, sums);
    const Index n = pass.n, k = pass.k, d = pass.d;
    pass.factors = pass.layout == Layout::dense      ? factors.values<const double>({k, d, d})
                   : pass.layout == Layout::diagonal ? factors.values<const double>({k, d})
                                                     : factors.values<const double>({d, d});
    pass.offsets = offsets.values<const double>({k});
    pass.log_density = log_density.values<double>({n});
    pass.memberships = memberships.values<double>({n, k});
    pass.labels = labels.values<std::intptr_t>({n});
    pass.hard = hard;
    run(variant_at(variant), pass);
}

void accumulate_given(int variant, int layout, nb::handle rows_, nb::handle weight_, nb::handle responsibilities_,
                      nb::handle labels_, nb::handle means_, nb::handle sums_) {
    const Array rows(rows_), weight(weight_), responsibilities(responsibilities_), labels(labels_), means(means_),
        sums(sums_, true);
    Pass pass = common(layout, rows, weight, means, sums);
    pass.responsibilities = responsibilities.values<const double>({pass.n, pass.k});
    pass.given_labels = labels.values<const std::intptr_t>({pass.n});
    if (!responsibilities.given() && !labels.given()) throw std::invalid_argument("no responsibilities were given");
    run(variant_at(variant), pass);
}

void elementwise(int variant, nb::handle x_, nb::handle y_, bool logarithm) {
    const Array x(x_), y(y_, true);
    const Index n = x.size(0);
    if (n % 8 != 0) throw std::invalid_argument("the length must be a multiple of 8");
    const Variant& chosen = variant_at(variant);
    (logarithm ? chosen.log : chosen.exp)(x.values<const double>({n}), y.values<double>({n}), n);
}

}  // namespace
}  // namespace mixtura

NB_MODULE(_native, m) {
    using namespace mixtura;
    using namespace nb::literals;
    const auto optional = [](const char* name) { return nb::arg(name).none(); };
    m.def("accumulate", &mixtura::accumulate, "variant"_a, "layout"_a, "rows"_a, optional("weight"), "means"_a,
          "factors"_a, "offsets"_a, optional("sums"), optional("log_density"), optional("memberships"),
          optional("labels"), "hard"_a);
    m.def("accumulate_given", &mixtura::accumulate_given, "variant"_a, "layout"_a, "rows"_a, optional("weight"),
          optional("responsibilities"), optional("labels"), "means"_a, "sums"_a);
    m.def("exp", [](int variant, nb::handle x, nb::handle y) { elementwise(variant, x, y, false); });
    m.def("log", [](int variant, nb::handle x, nb::handle y) { elementwise(variant, x, y, true); });
    m.def("multiply_add", [](int variant, Index rounds) { return variant_at(variant).multiply_add(rounds); });
    m.def("built", [] { return names(false); });
    m.def("supported", [] { return names(true); });
    m.def("compiler", [] { return MIXTURA_COMPILER; });
}
