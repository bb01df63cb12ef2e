// Arrays of Python by the buffer protocol.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>
#include <stdexcept>

#include "pass/kernel.hpp"

namespace nb = nanobind;

namespace mixtura {

// A C-contiguous array for the time of a call, or None.
struct Array {
    explicit Array(nb::handle object, bool written = false) {
        const int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (written ? PyBUF_WRITABLE : 0);
        if (!object.is_none() && PyObject_GetBuffer(object.ptr(), &view_, flags) != 0) throw nb::python_error();
    }
    ~Array() { PyBuffer_Release(&view_); }
    Array(Array&&) = delete;

    bool given() const { return view_.obj != nullptr; }
    Index size(int axis) const { return axis < view_.ndim ? view_.shape[axis] : -1; }
    bool is(char type) const { return given() && view_.format[0] == type && view_.format[1] == '\0'; }

    // The values, after a look at their type and at all sizes; null where nothing was given.
    template <typename T>
    T* values(std::initializer_list<Index> shape) const {
        if (!given()) return nullptr;
        using Plain = std::remove_const_t<T>;
        bool fits = view_.ndim == static_cast<int>(shape.size()) && view_.itemsize == sizeof(T);
        fits = fits && (std::is_same_v<Plain, double>  ? is('d')
                        : std::is_same_v<Plain, float> ? is('f')
                        : sizeof(Plain) == 4           ? is('i')
                                                       : is('l') || is('q') || is('n'));
        int axis = 0;
        for (Index length : shape) fits = fits && size(axis++) == length;
        if (!fits) throw std::invalid_argument("an array has another type or shape than the kernel needs");
        return static_cast<T*>(view_.buf);
    }

    Py_buffer view_{};
};

// The interpreter's lock, released for all but short work: handing it over takes longer than that, and who has given it
// away waits for another's Python.
struct Unlocked {
    explicit Unlocked(Index operations) { if (operations > 1000000) released.emplace(); }
    std::optional<nb::gil_scoped_release> released;
};

}  // namespace mixtura
