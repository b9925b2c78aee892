"""Connect two timm networks, check what the connection does at the start, and train one step."""

import functools

import timm
import torch

import taskweave as tw

image = torch.rand(2, 3, 64, 64)
networks = {"seg": timm.create_model("resnet18", num_classes=40), "normals": timm.create_model("resnet18", num_classes=3)}

net = tw.connect(
    {name: tw.as_stream(network) for name, network in networks.items()},
    at=["layer1", "layer2", "layer3"],
    unit=functools.partial(tw.CrossStitch, self_weight=1.0),  # the streams start as they were
    example=image,
)
print(tw.check_start(net, image))

optimizer = torch.optim.SGD(
    [
        {"params": net.streams.parameters(), "lr": 1e-3},
        {"params": net.connections.parameters(), "lr": 1e-1},  # the paper's 100 times
    ]
)
loss = sum(output.square().mean() for output in net(image).values())
loss.backward()
optimizer.step()

torch.save(net.streams["seg"].net.state_dict(), "seg.pt")  # an ordinary timm checkpoint
