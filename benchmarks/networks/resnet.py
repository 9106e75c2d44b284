# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""ResNet50, 101 and 152 in the v1 form of Keras, without the dense head.

The stride of a stage sits on the first 1x1 convolution of its first block. Padding before the 7x7
and before the max-pool is a layer of its own, equal on all sides.
"""

EPSILON = 1.001e-5
FILTERS = (64, 128, 256, 512)
# Small: a sum over 36 blocks stays of order 1, and float32 rounding is not amplified on the way.
RESIDUAL_GAIN = (0.05, 0.2)


def conv_norm(net, x, filters, kernel, name, gain=(0.5, 1.5), **options):
    """Keras gives these convolutions a bias although a batch norm follows."""
    x = net.conv(x, filters, kernel, bias=True, name=name + "_conv", **options)
    return net.batch_norm(x, EPSILON, gain=gain, name=name + "_bn")


def bottleneck(net, x, filters, name, *, stride, project):
    shortcut = x
    if project:
        shortcut = conv_norm(net, x, 4 * filters, 1, name + "_0", stride=stride, same=False)
    x = conv_norm(net, x, filters, 1, name + "_1", stride=stride, same=False)
    x = net.relu(x, name + "_1_relu")
    x = net.relu(conv_norm(net, x, filters, 3, name + "_2"), name + "_2_relu")
    x = conv_norm(net, x, 4 * filters, 1, name + "_3", RESIDUAL_GAIN, same=False)
    return net.relu(net.add(shortcut, x, name + "_add"), name + "_out")


def resnet(net, depths):
    x = net.zero_pad(net.image(), 3, 3, "conv1_pad")
    x = net.relu(conv_norm(net, x, 64, 7, "conv1", stride=2, same=False), "conv1_relu")
    x = net.max_pool(net.zero_pad(x, 1, 1, "pool1_pad"), 3, 2, name="pool1_pool")
    for stage, (filters, depth) in enumerate(zip(FILTERS, depths), 2):
        for block in range(1, depth + 1):
            x = bottleneck(net, x, filters, "conv%d_block%d" % (stage, block),
                           stride=2 if block == 1 and stage > 2 else 1, project=block == 1)
    net.output(x, "features")


def resnet50(net):
    resnet(net, (3, 4, 6, 3))


def resnet101(net):
    resnet(net, (3, 4, 23, 3))


def resnet152(net):
    resnet(net, (3, 8, 36, 3))
