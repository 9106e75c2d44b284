# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""VGG16 and VGG19 without the dense head. No batch norm: each conv has a bias and a ReLU."""

FILTERS = (64, 128, 256, 512, 512)


def vgg(net, depths):
    x = net.image()
    for block, (filters, depth) in enumerate(zip(FILTERS, depths), 1):
        for layer in range(1, depth + 1):
            name = "block%d_conv%d" % (block, layer)
            x = net.relu(net.conv(x, filters, 3, bias=True, name=name), name + "/Relu")
        x = net.max_pool(x, 2, 2, name="block%d_pool" % block)
    net.output(x, "features")


def vgg16(net):
    vgg(net, (2, 2, 3, 3, 3))


def vgg19(net):
    vgg(net, (2, 2, 4, 4, 4))
