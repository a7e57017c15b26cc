import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, SupportsFloat, SupportsIndex, TypedDict

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
    "Search",
    "Subset",
    "__version__",
    "from_arrays",
    "load",
    "open",
    "search",
    "split",
    "train",
]

__version__: str

_Path = str | os.PathLike[str]
_Arrays = tuple[ArrayLike, ArrayLike]
_Labels = NDArray[Any]  # int32; of regression float32; of multilabel float32, predicted ones bool
_Task = Literal["classification", "regression", "multilabel"]
_Missing = Literal["fail", "mean"]
_Columns = str | int | Sequence[str | int]
_Number = SupportsFloat | SupportsIndex
_OnBad = Literal["fail", "skip", "substitute"]

class _Frame(Protocol):
    """A data frame of pandas or Polars, or a table of PyArrow."""

    @property
    def columns(self) -> Any: ...

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
    def task(self) -> _Task: ...
    @property
    def classes(self) -> int: ...
    @property
    def class_names(self) -> list[str]: ...
    @property
    def targets(self) -> int: ...
    @property
    def target_names(self) -> list[str]: ...
    @property
    def column_names(self) -> list[str]: ...
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
    path: _Path | _Frame,
    *,
    task: _Task = "classification",
    stream: bool = False,
    size: tuple[int, int] | None = None,
    channels: Literal[1, 3] | None = None,
    label: str = "",
    tolerant: bool = False,
    one_hot: _Columns | None = None,
    drop_columns: _Columns | None = None,
    missing: _Missing = "fail",
) -> Data: ...
def from_arrays(
    x: ArrayLike,
    y: ArrayLike,
    *,
    task: _Task = "classification",
    class_names: Sequence[str] = [],
    target_names: Sequence[str] = [],
) -> Dataset: ...
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

class _TargetName(TypedDict, total=False):
    name: str

class _TargetErrors(_TargetName):
    target: int
    rmse: float
    mae: float
    largest: float
    r2: float
    mean: float
    deviation: float

class _LabelScores(_TargetName):
    label: int
    accuracy: float
    precision: float | None
    recall: float | None
    f1: float | None
    samples: int
    guesses: int

class _EvaluationOfTask(TypedDict, total=False):
    accuracy: float
    confusion: NDArray[numpy.uint64] | None
    exact: float
    f1_micro: float | None
    f1_macro: float | None
    labels: list[_LabelScores]
    r2: float
    targets: list[_TargetErrors]

class _Evaluation(_EvaluationOfTask):
    loss: float
    samples: int

class Model:
    @property
    def widths(self) -> list[int]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def task(self) -> _Task: ...
    @property
    def class_names(self) -> list[str]: ...
    @property
    def target_names(self) -> list[str]: ...
    @property
    def target_scales(self) -> tuple[NDArray[numpy.float32], NDArray[numpy.float32]] | None: ...
    @property
    def standardizer(self) -> tuple[NDArray[numpy.float32], NDArray[numpy.float32]] | None: ...
    def parameters(self) -> dict[str, NDArray[numpy.float32]]: ...
    def weights_hash(self) -> str: ...
    def logits(self, x: Dataset | ArrayLike | _Path | _Frame) -> NDArray[numpy.float32]: ...
    def probabilities(self, x: Dataset | ArrayLike | _Path | _Frame) -> NDArray[numpy.float32]: ...
    def predict(self, x: Dataset | ArrayLike | _Path | _Frame) -> _Labels: ...
    def evaluate(
        self, data: Dataset | _Arrays | _Path | _Frame, *, subset: Subset | None = None
    ) -> _Evaluation: ...
    def save(self, path: _Path) -> None: ...
    def save_onnx(self, path: _Path) -> None: ...

def load(path: _Path, *, device: str = "auto", threads: int = 0) -> Model: ...

class _EpochOfTask(TypedDict, total=False):
    train_acc: float
    val_acc: float | None
    train_r2: float
    val_r2: float | None
    val_rmse: float | None

class _EpochResult(_EpochOfTask):
    epoch: int
    train_loss: float
    val_loss: float | None
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
    def test_r2(self) -> float | None: ...
    @property
    def test_rmse(self) -> float | None: ...
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
    data: _Path | Data | Dataset | _Arrays | _Frame,
    *,
    test: Dataset | _Arrays | _Frame | None = None,
    validation: Dataset | _Arrays | _Frame | None = None,
    on_epoch: Callable[[_EpochResult], object] | None = None,
    task: _Task = "classification",
    val_size: int | None = None,
    standardize: bool = False,
    standardize_targets: bool = True,
    shuffle: bool = True,
    on_bad: _OnBad = "fail",
    bad_budget: _Number = 0.001,
    image_size: str | None = None,
    resize: str | None = None,
    gray: bool = False,
    rgb: bool = False,
    label_column: _Columns | None = None,
    one_hot: _Columns | None = None,
    drop_columns: _Columns | None = None,
    missing: _Missing = "fail",
    hidden: Sequence[int] | str = (32,),
    activation: Literal["relu", "gelu", "tanh", "sigmoid", "leaky-relu"] = "relu",
    batch_norm: bool = False,
    dropout: _Number = 0,
    initializer: Literal["pytorch", "he", "xavier"] = "pytorch",
    init: _Path | None = None,
    epochs: int = 10,
    batch: int = 128,
    lr: _Number = 0.5,  # of regression 0.1
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "constant",
    warmup: _Number = 0,
    step_epochs: int = 10,
    gamma: _Number = 0.1,
    target_acc: _Number | None = None,
    target_r2: _Number | None = None,
    patience: int = 0,
    optimizer: Literal["sgd", "nesterov", "adam", "adamw"] = "sgd",
    momentum: _Number = 0,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    epsilon: _Number = 1e-8,
    loss: Literal["mse", "mae", "huber"] = "mse",
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

class _TrialRun(TypedDict, total=False):
    seed: int
    fold: int
    score: float
    loss: float
    epoch: int
    epochs: int
    train_s: float
    weights_hash: str
    diverged: str

class _Trial(TypedDict):
    trial: int
    options: dict[str, Any]
    score: float | None
    loss: float | None
    epochs: int
    runs: list[_TrialRun]

class Search:
    @property
    def trials(self) -> list[_Trial]: ...
    @property
    def best(self) -> dict[str, Any] | None: ...

def search(
    data: _Path | Data | Dataset | _Arrays | _Frame,
    over: Mapping[str, str | Sequence[Any] | NDArray[Any]],
    *,
    validation: Dataset | _Arrays | _Frame | None = None,
    **options: Any,
) -> Search: ...
