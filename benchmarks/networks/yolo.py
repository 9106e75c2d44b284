# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""TinyYOLOv3 and TinyYOLOv4 for 416 x 416 images and 80 classes.

A cell of a head has 3 anchors * (5 + 80) = 255 channels.
"""

EPSILON = 1e-3
ALPHA = 0.1
HEAD_CHANNELS = 255


def conv_block(net, x, filters, kernel, **options):
    x = net.conv(x, filters, kernel, **options)
    return net.leaky_relu(net.batch_norm(x, EPSILON), ALPHA)


def downsample(net, x, filters):
    """The padding goes to the top and the left; TensorFlow's own SAME would put it at the end."""
    return conv_block(net, net.zero_pad(x, 1, 0), filters, 3, stride=2, same=False)


def concat_channels(net, values, *, nhwc):
    """nhwc: as older exporters leave it, with a Transpose on each side."""
    if not nhwc:
        return net.concat(values, 1)
    return net.to_nchw(net.concat([net.to_nhwc(value) for value in values], 3))


def csp_block(net, x, filters, *, nhwc):
    """A cross-stage-partial block: half of the channels go through two more convolutions.

    Returns the pooled output and the features that the neck may want before the last concatenation.
    """
    route = conv_block(net, x, filters, 3)
    if nhwc:
        half = net.to_nchw(net.second_half(net.to_nhwc(route), 3))
    else:
        half = net.second_half(route, 1)
    first = conv_block(net, half, filters // 2, 3)
    second = conv_block(net, first, filters // 2, 3)
    joined = concat_channels(net, [second, first], nhwc=nhwc)
    features = conv_block(net, joined, filters, 1)
    x = concat_channels(net, [route, features], nhwc=False)
    return net.max_pool(x, 2, 2), features


def heads(net, coarse, fine):
    """The two detection heads. coarse: 13 x 13 features, fine: 26 x 26 features."""
    coarse = conv_block(net, coarse, 256, 1)
    x = conv_block(net, coarse, 512, 3)
    net.output(net.conv(x, HEAD_CHANNELS, 1, bias=True), "coarse_boxes")

    x = conv_block(net, coarse, 128, 1)
    # Two Transposes that undo each other: what is left when an exporter converts layer by layer.
    x = net.upsample(net.to_nchw(net.to_nhwc(x)))
    x = concat_channels(net, [x, fine], nhwc=True)
    x = conv_block(net, x, 256, 3)
    net.output(net.conv(x, HEAD_CHANNELS, 1, bias=True), "fine_boxes")


def tinyyolov4(net):
    x = downsample(net, net.image(), 32)
    x = downsample(net, x, 64)
    x, _ = csp_block(net, x, 64, nhwc=True)
    x, _ = csp_block(net, x, 128, nhwc=False)
    x, fine = csp_block(net, x, 256, nhwc=False)
    x = conv_block(net, x, 512, 3)
    heads(net, x, fine)


def tinyyolov3(net):
    x = net.image()
    for filters in (16, 32, 64, 128):
        x = net.max_pool(conv_block(net, x, filters, 3), 2, 2, same=True)
    fine = conv_block(net, x, 256, 3)
    x = net.max_pool(fine, 2, 2, same=True)
    # Stride 1 at 13 x 13: SAME padding keeps the size, with one cell at the end.
    x = net.max_pool(conv_block(net, x, 512, 3), 2, 1, same=True)
    x = conv_block(net, x, 1024, 3)
    heads(net, x, fine)
