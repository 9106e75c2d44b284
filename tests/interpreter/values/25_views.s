; Views of rows (1, 2) and (3, 4): with a pitch below 0 the last row first; with pitches exchanged columns first; with a pitch of 0 the first row again and again, added: (2, 4), (4, 6).
; Moved by a row and a column, outside is 10: (10, 10), (10, 1). Squares in place, which what was there before waits for: (1, 4), (9, 16).
; input 0: 1 2 3 4
; output 0: 3 4 1 2
; output 1: 1 3 2 4
; output 2: 2 4 4 6
; output 3: 10 10 10 1
; output 4: 1 4 9 16
isa 2
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {index=0, name="x0", shape=[4], stride_h=2, stride_w=1, height=2, width=2, channels=1}
binding 1 {output=1, index=0, name="y0", shape=[4], stride_h=2, stride_w=1, height=2, width=2, channels=1}
binding 2 {output=1, index=1, name="y1", shape=[4], stride_h=2, stride_w=1, height=2, width=2, channels=1}
binding 3 {output=1, index=2, name="y2", shape=[4], stride_h=2, stride_w=1, height=2, width=2, channels=1}
binding 4 {output=1, index=3, name="y3", shape=[4], stride_h=2, stride_w=1, height=2, width=2, channels=1}
binding 5 {output=1, index=4, name="y4", shape=[4], stride_h=2, stride_w=1, height=2, width=2, channels=1}
tile 0 {buffer_bytes=48}
view 0 {value=4294967295, address=0, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4, pad_value=10.0}
view 1 {value=4294967295, address=8, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=-8, col_pitch=4, channel_pitch=4}
view 2 {value=4294967295, address=0, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=4, col_pitch=8, channel_pitch=4}
view 3 {value=4294967295, address=0, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=0, col_pitch=4, channel_pitch=4}
view 4 {value=4294967295, address=16, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 5 {value=4294967295, address=32, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
program 0 {arity=2} [add a b]
program 1 {arity=1} [mov a]
program 2 {arity=1} [mul a a]
q2.load b0 dst=v0(0,0) h=2 w=2
q2.store b1 a=v1(0,0) h=2 w=2 wait q2>=1
q2.store b2 a=v2(0,0) h=2 w=2
q0.vmap p0 dst=v4(0,0) h=2 w=2 a=v0(0,0) b=v3(0,0) wait q2>=1
q0.vmap p1 dst=v5(0,0) h=2 w=2 a=v0(-1,-1) wait q2>=1
q0.vmap p2 dst=v0(0,0) h=2 w=2 a=v0(0,0) wait q2>=3, q0>=2
q2.store b3 a=v4(0,0) h=2 w=2 wait q0>=3
q2.store b4 a=v5(0,0) h=2 w=2
q2.store b5 a=v0(0,0) h=2 w=2
