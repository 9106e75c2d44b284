; What the vector unit counts: n elements of work take 1 + n/2 cycles.
isa 2
arch "base: clsa\nlanes: 2\nvector_setup_cycles: 1\n"
node 0 {name="layer"}
section 0 "none" hex { }
tile 0 {buffer_bytes=696}
view 0 {ring_rows=4, y1=4, x1=4, height=4, width=4, channels=2, row_pitch=32, col_pitch=8, channel_pitch=4}
view 1 {address=128, ring_rows=2, y1=2, x1=3, height=2, width=3, channels=2, row_pitch=24, col_pitch=8, channel_pitch=4}
view 2 {address=176, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=2, row_pitch=16, col_pitch=8, channel_pitch=4}
view 3 {address=208, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=18, row_pitch=144, col_pitch=72, channel_pitch=4}
view 4 {address=496, ring_rows=2, y1=2, x1=4, height=2, width=4, channels=2, row_pitch=32, col_pitch=8, channel_pitch=4}
view 5 {address=560, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 6 {address=576, ring_rows=3, y1=3, x1=2, height=3, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 7 {address=600, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=2, row_pitch=24, col_pitch=8, channel_pitch=4}
view 8 {address=624, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=3, row_pitch=24, col_pitch=12, channel_pitch=4}
view 9 {address=648, element=i32, ring_rows=2, y1=2, x1=3, height=2, width=3, channels=2, row_pitch=24, col_pitch=8, channel_pitch=4}
program 0 {arity=1} [add a #1.0, max t0 #0.0]
window 0 {kernel_h=2, kernel_w=2, stride_h=2, stride_w=2, dilation_h=1, dilation_w=1}
window 1 {kind=3, kernel_h=3, kernel_w=3, stride_h=2, stride_w=2, dilation_h=1, dilation_w=2}
gather 0 {channels=[1]}
; 2 x 3 pixels x 2 channels x 2 lane operations = 24
q0.vmap p0 dst=v1(0,0) h=2 w=3 a=v0(0,0)                           ; [0, 13]
; 2 x 2 pixels x 2 channels x 4 cells = 32
q0.vwin w0 dst=v2(0,0) h=2 w=2 a=v0(0,0)                           ; [13, 30]
; overlap: 2 x 4 pixels x 2 channels x 2 x 3 taps = 96: stride 2 meets every second tap of an axis, with dilation 2 each
q0.vwin w1 dst=v4(0,0) h=2 w=4 a=v3(0,0)                           ; [30, 79]
; 2 x 2 pixels x 2 channels that are read = 8
q0.vred sum(c) dst=v5(0,0) h=2 w=2 a=v2(0,0)                       ; [79, 84]
; 3 x 2 pixels x 1 channel = 6
q0.vgat t0 dst=v6(0,0) h=3 w=2 a=v0(0,0)                           ; [84, 88]
; 1 x 2 pixels x 3 channels x 2 channels of a = 12
q0.vdot nk dst=v8(0,0) h=1 w=2 a=v2(0,0) b=v7(0,0)                 ; [88, 95]
; from 2 channels to 2 x 3 pixels x 2 channels = 12
q0.vtake along(c) dst=v1(0,0) h=2 w=3 a=v0(0,0) b=v9(0,0)          ; [95, 102]
; asks for no unit: starts when it heads the queue, ends with its predecessor
q0.wait wait q0>=0                                                 ; [95, 102]
