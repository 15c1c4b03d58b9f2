import pytest
import torch
from torch import nn

from histolab_lib.inference import watch


def network():
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))


def hooks(net):
    return sum(len(part._forward_hooks) for part in net.modules())


def test_what_watched_parts_give_is_noted_by_name_in_the_order_of_use():
    net, image = network(), torch.linspace(-1, 1, 16).view(1, 1, 4, 4)
    with torch.no_grad(), watch({"pooled": net[2], "first": net[0]}) as seen:
        out = net(image)
    assert list(seen) == ["first", "pooled"]
    assert torch.equal(seen["first"], net[0](image))
    assert torch.equal(seen["pooled"], out)


def test_what_is_kept_can_be_made_of_the_part_its_inputs_and_its_output_and_changes_nothing():
    net, image = network(), torch.linspace(-1, 1, 16).view(1, 1, 4, 4)
    alone = net(image)
    with watch({"relu": net[1]}, lambda part, given, out: (type(part), out - given[0])) as seen:
        assert torch.equal(net(image), alone)
    kind, change = seen["relu"]
    assert kind is nn.ReLU
    assert torch.equal(change, net[0](image).clamp(max=0).neg())


def test_a_network_is_watched_inside_the_block_alone_even_where_it_fails():
    net = network()
    with watch({"first": net[0]}) as seen:
        assert hooks(net) == 1
    net(torch.zeros(1, 1, 4, 4))
    assert seen == {}
    with pytest.raises(RuntimeError), watch({"first": net[0]}):
        net(torch.zeros(1, 5, 4, 4))
    assert hooks(net) == 0
