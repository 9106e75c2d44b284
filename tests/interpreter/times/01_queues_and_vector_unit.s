; Queues and the vector unit: 3 + 8n/4 cycles for n pixels of 8 channels.
isa 2
arch "base: clsa\nlanes: 4\nvector_setup_cycles: 3\n"
node 0 {name="layer"}
section 0 "weights" hex { 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 }
image 0 {k=2, n=8}
image 1 {k=8, n=4}
tile 0 {buffer_bytes=352}
view 0 {ring_rows=1, y1=1, x1=4, height=1, width=4, channels=2, row_pitch=32, col_pitch=8, channel_pitch=4}
view 1 {address=32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=8, row_pitch=128, col_pitch=32, channel_pitch=4}
view 2 {address=160, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=8, row_pitch=128, col_pitch=32, channel_pitch=4}
view 3 {address=288, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=4, row_pitch=64, col_pitch=16, channel_pitch=4}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2} [{k=2, n=8}]
group 1 {source_view=2, kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=8, image=1} [{k=8, n=4, pe=1}]
program 0 {arity=1} [max a #0.0]
q0.mvm g0 dst=v1(0,0) h=1 w=3                                      ; [0, 3]
q2.vmap p0 dst=v2(0,0) h=1 w=3 a=v1(0,0) wait q0>=1                ; [3, 12]
q1.mvm g1 dst=v3(0,0) h=1 w=3 wait q2>=1                           ; [12, 15]
q0.mvm g0 dst=v1(0,3) h=1 w=1                                      ; [3, 4]
q2.vmap p0 dst=v2(0,3) h=1 w=1 a=v1(0,3) wait q0>=2                ; [12, 17]
q1.mvm g1 dst=v3(0,3) h=1 w=1 wait q2>=2                           ; [17, 18]
