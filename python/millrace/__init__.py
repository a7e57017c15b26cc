"""Multilayer perceptrons, trained fast, and a loader for other people's training loops.

    import millrace

    run = millrace.train("data", epochs=10)
    labels = run.model.predict(x)

    search = millrace.search("data", {"lr": "0.01..1:log", "hidden": [[32], [64]]}, trials=50)      # which options are best
    run = millrace.train("data", **search.best)

    run = millrace.train((x, prices), task="regression")     # numbers to be learnt: float [n], or [n, targets]
    prices = run.model.predict(x)

    data = millrace.open("data")
    loader = millrace.Loader(data.train, batch=128, seed=1)
    for epoch in range(10):
        for x, y in loader:     # uint8 or float32 [128, 28, 28], int32 [128]
            ...

The order of samples is a pure function of the seed; loader.position is all that is needed to go on later with exactly
the batches that are left.
"""

from millrace._core import (
    Data,
    DataError,
    Dataset,
    DeviceError,
    DivergedError,
    Epoch,
    Loader,
    Model,
    Run,
    Search,
    Subset,
    __version__,
    from_arrays,
    load,
    open,  # noqa: A004  (as gzip.open)
    search,
    split,
    train,
)

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
