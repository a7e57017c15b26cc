#!/usr/bin/env python3
"""Records the learning rates of PyTorch's schedules: what train/schedule is held against.

Writes schedules.json beside this script: for each schedule the rate of each step, of a peak of 0.5, over
5 epochs of 8 steps; and of those that depend on a run's length over runs of a few steps. Needs torch (Debian: python3-torch).
"""
import json
import pathlib

import torch
from torch.optim import lr_scheduler

STEPS_PER_EPOCH = 8
STEPS = 5 * STEPS_PER_EPOCH

SCHEDULES = {
    "constant": lambda o: lr_scheduler.ConstantLR(o, factor=1.0),
    "step": lambda o: lr_scheduler.StepLR(o, step_size=2 * STEPS_PER_EPOCH, gamma=0.1),
}
OF_LENGTH = {
    "cosine": lambda o, steps: lr_scheduler.CosineAnnealingLR(o, T_max=steps),
    "one-cycle": lambda o, steps: lr_scheduler.OneCycleLR(o, max_lr=0.5, total_steps=steps),
}
SHORT = (1, 2, 3, 4, 7, 10, 13)


def rates(make, steps=STEPS):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    schedule = make(optimizer)
    trace = []
    for _ in range(steps):
        trace.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return trace


def rates_of_length(make, steps):
    return rates(lambda optimizer: make(optimizer, steps), steps)


traces = {name: rates(make) for name, make in SCHEDULES.items()}
traces |= {name: rates_of_length(make, STEPS) for name, make in OF_LENGTH.items()}
short = [
    {"schedule": name, "rates": rates_of_length(make, steps)} for name, make in OF_LENGTH.items() for steps in SHORT
]
path = pathlib.Path(__file__).parent / "schedules.json"
path.write_text(json.dumps({"torch": torch.__version__, "rates": traces, "short": short}, indent=1) + "\n")
