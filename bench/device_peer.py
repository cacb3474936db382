"""Boston's GAL step (paper's settings, adjuster 16-4) in PyTorch, eager, on a GPU: microseconds a step."""

import time

import torch


def main():
    device = torch.device("cuda")
    torch.manual_seed(1)
    x = torch.randn(32, 13, device=device)
    y = torch.randn(32, 1, device=device)
    layers = torch.nn
    model = layers.Sequential(
        layers.Linear(13, 100), layers.ReLU(), layers.Linear(100, 50), layers.ReLU(), layers.Linear(50, 1)
    ).to(device)
    adjuster = layers.Sequential(layers.Linear(1, 16), layers.Linear(16, 4), layers.Linear(4, 1)).to(device)
    rate, epsilon = 1e-3, 0.1
    optimizer = torch.optim.Adam([*model.parameters(), *adjuster.parameters()], lr=rate)
    loss_of = layers.MSELoss()

    def step():
        features = model(x)
        point = features.detach().requires_grad_()
        loss = loss_of(point, y)
        (gradient,) = torch.autograd.grad(loss, point)
        direction = adjuster(point.detach())
        adjustment = epsilon * direction / direction.norm() * gradient.norm()
        displacement = rate * (gradient + adjustment)
        tentative = loss_of(point.detach() - displacement, y)
        remainder = tentative - loss.detach() + (displacement * gradient).sum()
        optimizer.zero_grad()
        remainder.abs().backward()
        chosen = gradient + adjustment.detach() if tentative <= loss else gradient
        features.backward(chosen)
        optimizer.step()

    for _ in range(50):
        step()
    torch.cuda.synchronize()
    start = time.perf_counter()
    count = 1000
    for _ in range(count):
        step()
    torch.cuda.synchronize()
    microseconds = 1e6 * (time.perf_counter() - start) / count
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}, eager GAL step on Boston's network: "
          f"{microseconds:.1f} us")


if __name__ == "__main__":
    main()
