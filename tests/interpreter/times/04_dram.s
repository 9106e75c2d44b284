; DRAM: 32 bytes (f32) are 4 cycles, 16 bytes (f16, or one channel) 2, and 10 more until it has answered.
isa 2
arch "base: clsa\ndram_cycles: 10\ndram_bytes_per_cycle: 8\n"
node 0 {name="layer"}
section 0 "weights" hex { 00000000 00000000 }
image 0 {k=2, n=1}
binding 0 {name="x", shape=[3, 4, 2], stride_h=8, stride_w=2, stride_c=1, height=3, width=4, channels=2}
binding 1 {index=1, element=f16, name="half", shape=[4, 2], stride_w=2, stride_c=1, height=1, width=4, channels=2}
binding 2 {output=1, name="y", shape=[4], stride_w=1, height=1, width=4, channels=1}
binding 3 {output=1, index=1, element=f16, name="z", shape=[4], stride_w=1, height=1, width=4, channels=1}
tile 0 {buffer_bytes=112}
view 0 {ring_rows=3, y1=3, x1=4, height=3, width=4, channels=2, row_pitch=32, col_pitch=8, channel_pitch=4}
view 1 {address=96, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2} [{k=2, n=1}]
q3.load b0 dst=v0(0,0) h=1 w=4                                     ; [0, 14]
q3.load b0 dst=v0(1,0) h=1 w=4 y=1                                 ; [4, 18]
q3.load b1 dst=v0(2,0) h=1 w=4                                     ; [8, 20]
q0.mvm g0 dst=v1(0,0) h=1 w=4 wait q3>=1                           ; [14, 18]
q3.store b2 a=v1(0,0) h=1 w=4 wait q0>=1                           ; [18, 30]
q3.store b3 a=v1(0,0) h=1 w=4                                      ; [20, 31]
