"""PyTorch's own training loop, fed by Millrace's loader:  pytorch_loop.py DATA [EPOCHS]

Millrace reads and checks the files, decodes them on all cores, shuffles each epoch by the seed and packs the batches
ahead. PyTorch gets them as tensors that share their memory with the loader's slots, uint8 where they are stored so, and
converts them where it computes.
"""
import sys

import millrace
import torch


def features_and_labels(batch, device):
    x, y = (torch.from_numpy(array).to(device) for array in batch)
    return (x.float() / 255 if x.dtype == torch.uint8 else x), y.long()


def accuracy(model, loader, device):
    right = seen = 0
    with torch.no_grad():
        for batch in loader:
            x, y = features_and_labels(batch, device)
            right += (model(x).argmax(1) == y).sum().item()
            seen += len(y)
    return right / seen


def main(folder="data", epochs="3"):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    data = millrace.open(folder)
    train, validation = millrace.split(data.train, len(data.train) // 6, seed=0)
    loader = millrace.Loader(data.train, batch=128, subset=train, seed=0)
    check = millrace.Loader(data.train, batch=1024, subset=validation, shuffle=False)

    features = torch.Size(data.train.shape).numel()
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(features, 32), torch.nn.ReLU(),
                                torch.nn.Linear(32, data.train.classes)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for epoch in range(int(epochs)):
        for batch in loader:  # one epoch; the next is packed meanwhile
            x, y = features_and_labels(batch, device)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        print(f"Epoch [{epoch}], val_acc: {accuracy(model, check, device):.4f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
