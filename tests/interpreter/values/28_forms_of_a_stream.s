; A stream as bytes, with what the encoder seldom makes. Walkers: 0 LOAD, 1 VMAP (adds 1 in place, pixel after pixel), 2 to 4 STORE, the last one long and with an extension (DRAM 2 columns further left). Templates 0 LOAD, 1 VMAP,
; 2 VMAP wait q2 >= 1, 3 STORE with a byte for its wait, 4 with three, 5 without. Phrases, four open at once: 6 = VMAP VMAP; 7 = 6 6 VMAP; 8 = 7, then 6 four times (F1 00); 9 = 8 8: 2 * (5 + 8) = 26 VMAPs.
; VMAPs: one, 26, three (F2): 30, which go round the 4 pixels: 8, 8, 7, 7. SET to pixel 2, two pixels wide: 8, 8, 8, 8; the next one is at pixel 0 again: 9, 8, 8, 8.
; input 0: 0 10 20 30
; output 0: 9 18 28 38
; output 1: 9 18 28 38
; output 2: 28 38
isa 2
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {index=0, name="x0", shape=[4], stride_w=1, height=1, width=4, channels=1}
binding 1 {output=1, index=0, name="y0", shape=[4], stride_w=1, height=1, width=4, channels=1}
binding 2 {output=1, index=1, name="y1", shape=[4], stride_w=1, height=1, width=4, channels=1}
binding 3 {output=1, index=2, name="y2", shape=[2], stride_w=1, height=1, width=2, channels=1}
tile 0 {buffer_bytes=16}
view 0 {address=0, value=4294967295, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
program 0 {arity=1} [add a #1.0]
stream hex {
    0400000001000000010000000600000000000000040000000b0000001e000000
    4a00000000000000002000004000200002000000000000000020000040000800
    4b0020000000000000200000400020004b004000000000000020000040002000
    4b00600000000040000040000000000004000004000400040002200002000200
    000000feffff0000000000000000000000000000010000000102040002000800
    03000c000400000000002000020030000500400009002000010106060107f100
    060808000209f2030001f0010000000002000002000100010103000400000005
    ff }
sources hex { ffffffffffffffffffffffffffffffffffffffff }
