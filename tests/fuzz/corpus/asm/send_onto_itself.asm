isa 2
arch "base: clsa\n"
binding 0 {name="x", shape=[1, 1, 1, 64], stride_h=64, stride_w=1, height=1, width=64, channels=1, node=4294967295}
binding 1 {output=1, name="y", shape=[1, 1, 1, 64], stride_h=64, stride_w=1, height=1, width=64, channels=1, node=4294967295}
tile 0 {buffer_bytes=512, inbound_counters=1}
view 0 {address=0, ring_rows=1, y1=1, x1=64, height=1, width=64, channels=1, row_pitch=256, col_pitch=4, channel_pitch=4, value=4294967295}
view 1 {address=4, ring_rows=1, y1=1, x1=64, height=1, width=64, channels=1, row_pitch=256, col_pitch=4, channel_pitch=4, value=4294967295}
route 0 [{view=1, counter=128}]
0: q2.load b0 dst=v0(0,0) h=1 w=64
1: q1.send r0 a=v0(0,0) h=1 w=64 wait q2>=1
2: q2.store b1 a=v1(0,0) h=1 w=64 wait i128>=1
