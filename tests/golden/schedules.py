#!/usr/bin/env python3
"""Records the learning rates of PyTorch's schedules: what train/schedule is held against.

Writes schedules.json beside this script: for each schedule the rate of each step, of a peak of 0.5, over
5 epochs of 8 steps. Needs torch (Debian: python3-torch).
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
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=STEPS),
    "one-cycle": lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.5, total_steps=STEPS),
}


def rates(make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    schedule = make(optimizer)
    trace = []
    for _ in range(STEPS):
        trace.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return trace


traces = {name: rates(make) for name, make in SCHEDULES.items()}
path = pathlib.Path(__file__).parent / "schedules.json"
path.write_text(json.dumps({"torch": torch.__version__, "rates": traces}, indent=1) + "\n")
