import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, SupportsFloat, SupportsIndex, TypedDict

import numpy
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Data",
    "DataError",
    "Dataset",
    "DeviceError",
    "DivergedError",
    "Epoch",
    "Loader",
    "Model",
    "Run",
    "Subset",
    "__version__",
    "from_arrays",
    "load",
    "open",
    "split",
    "train",
]

__version__: str

_Path = str | os.PathLike[str]
_Arrays = tuple[ArrayLike, ArrayLike]
_Labels = NDArray[numpy.int32]
_Number = SupportsFloat | SupportsIndex
_OnBad = Literal["fail", "skip", "substitute"]

class DataError(ValueError): ...
class DeviceError(RuntimeError): ...
class DivergedError(ArithmeticError): ...

class Dataset:
    def __len__(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> numpy.dtype[Any]: ...
    @property
    def classes(self) -> int: ...
    @property
    def class_names(self) -> list[str]: ...
    @property
    def name(self) -> str: ...
    def hash(self) -> str: ...
    def read(self, ids: ArrayLike) -> tuple[NDArray[Any], _Labels]: ...

class Data:
    @property
    def train(self) -> Dataset: ...
    @property
    def test(self) -> Dataset | None: ...
    @property
    def validation(self) -> Dataset | None: ...
    @property
    def description(self) -> str: ...

class Subset:
    def __len__(self) -> int: ...
    def ids(self) -> NDArray[numpy.uint64]: ...

def open(
    path: _Path,
    *,
    stream: bool = False,
    size: tuple[int, int] | None = None,
    channels: Literal[1, 3] | None = None,
    label: str = "",
    tolerant: bool = False,
) -> Data: ...
def from_arrays(x: ArrayLike, y: ArrayLike, *, class_names: Sequence[str] = []) -> Dataset: ...
def split(data: Dataset, validation: int, seed: int = 0) -> tuple[Subset, Subset]: ...

class Epoch:
    def __iter__(self) -> Epoch: ...
    def __next__(self) -> tuple[NDArray[Any], _Labels]: ...

class Loader:
    def __init__(
        self,
        data: Dataset,
        batch: int = 128,
        *,
        subset: Subset | None = None,
        shuffle: bool = True,
        seed: int = 0,
        epochs: int | None = None,
        start: tuple[int, int] = (0, 0),
        rank: int = 0,
        ranks: int = 1,
        chunk_batches: int = 32,
        slots: int = 3,
        workers: int = 0,
        window_mb: int = 32,
        augment: Mapping[str, float] = {},
        on_bad: _OnBad = "fail",
        bad_budget: int | None = None,
    ) -> None: ...
    def __iter__(self) -> Iterator[tuple[NDArray[Any], _Labels]]: ...
    def __len__(self) -> int: ...
    def chunks(self) -> Iterator[tuple[NDArray[Any], _Labels]]: ...
    @property
    def position(self) -> tuple[int, int]: ...
    @property
    def bad(self) -> dict[int, str]: ...
    def stats(self) -> dict[str, Any]: ...
    def stop(self) -> None: ...

class _Evaluation(TypedDict):
    loss: float
    accuracy: float
    samples: int
    confusion: NDArray[numpy.uint64] | None

class Model:
    @property
    def widths(self) -> list[int]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def class_names(self) -> list[str]: ...
    @property
    def standardizer(self) -> tuple[NDArray[numpy.float32], NDArray[numpy.float32]] | None: ...
    def parameters(self) -> dict[str, NDArray[numpy.float32]]: ...
    def weights_hash(self) -> str: ...
    def logits(self, x: Dataset | ArrayLike) -> NDArray[numpy.float32]: ...
    def probabilities(self, x: Dataset | ArrayLike) -> NDArray[numpy.float32]: ...
    def predict(self, x: Dataset | ArrayLike) -> _Labels: ...
    def evaluate(self, data: Dataset | _Arrays, *, subset: Subset | None = None) -> _Evaluation: ...
    def save(self, path: _Path) -> None: ...
    def save_onnx(self, path: _Path) -> None: ...

def load(path: _Path, *, device: str = "auto", threads: int = 0) -> Model: ...

class _EpochResult(TypedDict):
    epoch: int
    train_loss: float
    train_acc: float
    val_loss: float | None
    val_acc: float | None
    lr: float | None
    train_s: float
    val_s: float

class Run:
    @property
    def epochs(self) -> list[_EpochResult]: ...
    @property
    def model(self) -> Model: ...
    @property
    def test_acc(self) -> float | None: ...
    @property
    def test_loss(self) -> float | None: ...
    @property
    def stopped(self) -> bool: ...
    @property
    def checkpoint(self) -> os.PathLike[str] | None: ...
    @property
    def bad(self) -> list[tuple[str, int, str]]: ...
    @property
    def verdict(self) -> str: ...
    @property
    def summary(self) -> dict[str, Any]: ...

def train(
    data: _Path | Data | Dataset | _Arrays,
    *,
    test: Dataset | _Arrays | None = None,
    validation: Dataset | _Arrays | None = None,
    on_epoch: Callable[[_EpochResult], object] | None = None,
    val_size: int | None = None,
    standardize: bool = False,
    shuffle: bool = True,
    on_bad: _OnBad = "fail",
    bad_budget: _Number = 0.001,
    image_size: str | None = None,
    resize: str | None = None,
    gray: bool = False,
    rgb: bool = False,
    label_column: str | int | None = None,
    hidden: Sequence[int] | str = (32,),
    activation: Literal["relu", "gelu", "tanh", "sigmoid", "leaky-relu"] = "relu",
    batch_norm: bool = False,
    dropout: _Number = 0,
    initializer: Literal["pytorch", "he", "xavier"] = "pytorch",
    init: _Path | None = None,
    epochs: int = 10,
    batch: int = 128,
    lr: _Number = 0.5,
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "constant",
    warmup: _Number = 0,
    step_epochs: int = 10,
    gamma: _Number = 0.1,
    target_acc: _Number | None = None,
    patience: int = 0,
    optimizer: Literal["sgd", "nesterov", "adam", "adamw"] = "sgd",
    momentum: _Number = 0,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    epsilon: _Number = 1e-8,
    label_smoothing: _Number = 0,
    class_weights: Literal["balanced"] | Sequence[_Number] | None = None,
    clip_norm: _Number = 0,
    ema: _Number = 0,
    accumulate: int = 1,
    weight_decay: _Number = 0,
    seed: int = 0,
    rotate: _Number = 0,
    shift: _Number = 0,
    scale: _Number = 0,
    shear: _Number = 0,
    elastic: _Number = 0,
    elastic_sigma: _Number = 4,
    device: str = "auto",
    threads: int | Literal["auto"] = "auto",
    precision: Literal["fp32", "tf32", "bf16"] = "fp32",
    workers: int | Literal["auto"] = "auto",
    residency: Literal["auto", "resident", "host", "stream"] = "auto",
    shuffle_window: int = 32,
    chunk_batches: int | Literal["auto"] = "auto",
    slots: int = 3,
    checkpoint_dir: _Path | None = None,
    checkpoint_every: int = 0,
    keep: int = 3,
    resume: bool | _Path = False,
    force: bool = False,
    config: _Path | None = None,
) -> Run: ...
