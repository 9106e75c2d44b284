; Bytes count by the element: 3 pixels of 2 channels are 6 bytes of u8 or i8, 24 of i32. The port and DRAM move 4 bytes a cycle.
isa 2
arch "base: clsa\nlink_bytes_per_cycle: 4\nhop_cycles: 1\ndram_bytes_per_cycle: 4\ndram_cycles: 10\n"
node 0 {name="layer"}
section 0 "weights" hex { 01020304 }
image 0 {k=2, n=2, element=i8}
binding 0 {element=i8, name="x", shape=[6], stride_w=2, stride_c=1, height=1, width=3, channels=2}
binding 1 {output=1, element=i32, name="y", shape=[6], stride_w=2, stride_c=1, height=1, width=3, channels=2}
tile 0 {buffer_bytes=32, inbound_counters=1}
view 0 {element=u8, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=2, row_pitch=6, col_pitch=2, channel_pitch=1}
view 1 {address=8, element=i32, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=2, row_pitch=24, col_pitch=8, channel_pitch=4}
route 0 [{tile=0, counter=128}]
route 1 [{tile=0, view=1, counter=128}]
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, x_bits=8} [{k=2, n=2}]
q3.load b0 dst=v0(0,0) h=1 w=3                        ; [0, 12]
q2.send r0 a=v0(0,0) h=1 w=3 wait q3>=1               ; [12, 14]
q0.mvm g0 dst=v1(0,0) h=1 w=3 wait i128>=1            ; [14, 17]
q2.send r1 a=v1(0,0) h=1 w=3 wait q0>=1               ; [17, 23]
q3.store b1 a=v1(0,0) h=1 w=3 wait i128>=2            ; [23, 39]
