"""Which kernel is given for which question, and what is said where it is not there."""

from __future__ import annotations

import pytest

from mixtura.exceptions import KernelUnavailableError
from mixtura.kernels import available_kernels, build_info, get_kernel, native, registry


@pytest.fixture(autouse=True)
def _no_wishes(monkeypatch):
    monkeypatch.delenv("MIXTURA_KERNEL", raising=False)
    monkeypatch.delenv("MIXTURA_INSTRUCTION_SET", raising=False)


@pytest.fixture
def _pure_python(monkeypatch):
    """As after an installation without a compiler."""
    monkeypatch.setattr(native, "_EXTENSION", "mixtura.kernels._not_built")
    native._load.cache_clear()
    registry._kernel.cache_clear()
    yield
    native._load.cache_clear()
    registry._kernel.cache_clear()


needs_native = pytest.mark.skipif(not native.is_built(), reason="the native core is not built")


def test_the_same_question_gives_the_same_object():
    assert get_kernel("numpy") is get_kernel("numpy")
    assert get_kernel() is get_kernel()
    assert get_kernel("numpy").instruction_set == "blas"


@needs_native
def test_auto_is_native_with_the_best_instruction_set():
    best = native.supported_instruction_sets()[0]
    assert (get_kernel().name, get_kernel().instruction_set) == ("native", best)
    assert get_kernel("native") is get_kernel()
    assert available_kernels() == ("native", "numpy")


@needs_native
def test_auto_takes_numpy_from_the_crossover_on(monkeypatch):
    monkeypatch.setattr(registry, "NUMPY_FROM_FEATURES", 64)
    assert get_kernel(n_features=63).name == "native"
    assert get_kernel(n_features=64).name == "numpy"
    assert get_kernel("native", n_features=64).name == "native"
    assert get_kernel(n_features=64, instruction_set="baseline").name == "native"


@needs_native
def test_every_supported_instruction_set_is_given_by_name():
    assert "baseline" in native.supported_instruction_sets()
    for name in native.supported_instruction_sets():
        assert get_kernel("native", instruction_set=name).instruction_set == name
        assert get_kernel(instruction_set=name).instruction_set == name


@needs_native
def test_variables_say_what_auto_means(monkeypatch):
    monkeypatch.setenv("MIXTURA_INSTRUCTION_SET", "baseline")
    assert get_kernel().instruction_set == "baseline"
    assert get_kernel("numpy").instruction_set == "blas"
    monkeypatch.setenv("MIXTURA_KERNEL", "numpy")
    assert get_kernel().name == "numpy"
    assert get_kernel("native").name == "native"
    monkeypatch.setenv("MIXTURA_KERNEL", "abacus")
    with pytest.raises(KernelUnavailableError, match="'abacus'"):
        get_kernel()


@pytest.mark.parametrize(
    ("name", "instruction_set"), [("numpy", "avx2"), ("numpy", "sse9"), ("abacus", None)]
)
def test_what_is_not_there_is_refused(name, instruction_set):
    with pytest.raises(KernelUnavailableError, match=instruction_set or name):
        get_kernel(name, instruction_set=instruction_set)


@needs_native
def test_an_instruction_set_this_machine_lacks_is_refused():
    with pytest.raises(KernelUnavailableError, match=r"'sse9'.*baseline"):
        get_kernel("native", instruction_set="sse9")


def test_blas_is_the_numpy_kernel():
    assert get_kernel(instruction_set="blas").name == "numpy"


@pytest.mark.usefixtures("_pure_python")
def test_without_a_compiler_numpy_serves_and_says_why():
    assert available_kernels() == ("numpy",)
    assert get_kernel().name == "numpy"
    info = build_info()
    assert info["compiled"] is False
    assert info["compiler"] is None
    assert info["built"] == info["supported"] == ()
    assert "without its compiled core" in str(info["reason"])
    for question in ({"name": "native"}, {"instruction_set": "avx2"}):
        with pytest.raises(KernelUnavailableError, match="'native' is not here"):
            get_kernel(**question)


@needs_native
def test_build_info_of_a_compiled_core():
    info = build_info()
    assert info["compiled"] is True
    assert info["reason"] is None
    assert set(info["supported"]) <= set(info["built"])
    assert info["instruction_set"] in info["supported"]
    assert str(info["compiler"]).split()[0] in {"GNU", "Clang", "AppleClang"}
