"""Models of other programs: read as data, without running what they hold."""

from mixtura.io.foreign.foreign_model import ForeignModel
from mixtura.io.foreign.read_foreign import read_foreign_model
from mixtura.io.foreign.sklearn_model import model_of_sklearn

__all__ = ["ForeignModel", "model_of_sklearn", "read_foreign_model"]
