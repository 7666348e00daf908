;; What is done with every byte of every message: the sum of its bytes, and where its fields are. `byte-scan.ts` is its only caller and says what
;; the memory holds; `npm run generate` makes `generated/byte-scan.gen.ts` of this text.
(module
  (memory (export "memory") 4 4)

  ;; Bytes: a table of tags below 1,024, 1 for a tag whose field is data; three arrays of 4,096 integers, the field index; what a socket has
  ;; read; a message that was read elsewhere. Blocks are read whole, up to 63 bytes behind the end of a message: of neither is it the memory's.
  (global $dataTags (export "dataTags") i32 (i32.const 0))
  (global $tags (export "tags") i32 (i32.const 1024))
  (global $starts (export "starts") i32 (i32.const 17408))
  (global $ends (export "ends") i32 (i32.const 33792))
  (global $read (export "read") i32 (i32.const 65536))
  (global $copy (export "copy") i32 (i32.const 131072))

  ;; Sum of the bytes `at` to `end` (exclusive), modulo 256: sixteen sums of bytes that wrap around, and then their sum.
  (func (export "sum") (param $at i32) (param $end i32) (result i32)
    (local $sums v128)
    (local $sum i32)
    (local $lastBlock i32)
    (local.set $lastBlock (i32.sub (local.get $end) (i32.const 16)))
    (block $noBlock
      (br_if $noBlock (i32.gt_s (local.get $at) (local.get $lastBlock)))
      (loop $blocks
        (local.set $sums (i8x16.add (local.get $sums) (v128.load align=1 (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br_if $blocks (i32.le_s (local.get $at) (local.get $lastBlock)))))
    (local.set $sums (i32x4.extadd_pairwise_i16x8_u (i16x8.extadd_pairwise_i8x16_u (local.get $sums))))
    (local.set $sum
      (i32.add
        (i32.add (i32x4.extract_lane 0 (local.get $sums)) (i32x4.extract_lane 1 (local.get $sums)))
        (i32.add (i32x4.extract_lane 2 (local.get $sums)) (i32x4.extract_lane 3 (local.get $sums)))))
    (block $noByte
      (br_if $noByte (i32.ge_s (local.get $at) (local.get $end)))
      (loop $bytes
        (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $bytes (i32.lt_s (local.get $at) (local.get $end)))))
    (i32.and (local.get $sum) (i32.const 0xff)))

  ;; Enters the fields that begin at `at` into the index, from place `count` on, and returns the places taken then. It ends at `end`, where the
  ;; last field's SOH has been, at the end of the index, and before the first field that is not plain: one whose tag is no number of one to nine
  ;; digits or begins with 0, that is empty, or that is data. `bias` is taken away from addresses to make positions.
  (func (export "index") (param $at i32) (param $end i32) (param $count i32) (param $bias i32) (result i32)
    (local $sixteenSoh v128)
    (local $block i32)
    (local $soh i64)
    (local $word i32)
    (local $digit i32)
    (local $tag i32)
    (local $valueStart i32)
    (local $valueEnd i32)
    (local $entry i32)
    (local.set $sixteenSoh (i8x16.splat (i32.const 1)))
    (local.set $block (local.get $at))
    (local.set $entry (i32.shl (local.get $count) (i32.const 2)))
    (block $notPlain
      (br_if $notPlain (i32.ge_s (local.get $block) (local.get $end)))
      (loop $blocks
        ;; A bit for each of 64 bytes, 1 for SOH.
        (local.set $soh
          (i64.or
            (i64.or
              (i64.extend_i32_u
                (i8x16.bitmask (i8x16.eq (local.get $sixteenSoh) (v128.load align=1 (local.get $block)))))
              (i64.shl
                (i64.extend_i32_u
                  (i8x16.bitmask (i8x16.eq (local.get $sixteenSoh) (v128.load offset=16 align=1 (local.get $block)))))
                (i64.const 16)))
            (i64.or
              (i64.shl
                (i64.extend_i32_u
                  (i8x16.bitmask (i8x16.eq (local.get $sixteenSoh) (v128.load offset=32 align=1 (local.get $block)))))
                (i64.const 32))
              (i64.shl
                (i64.extend_i32_u
                  (i8x16.bitmask (i8x16.eq (local.get $sixteenSoh) (v128.load offset=48 align=1 (local.get $block)))))
                (i64.const 48)))))
        ;; Of the last block, what lies behind the message does not count.
        (if (i32.lt_s (i32.sub (local.get $end) (local.get $block)) (i32.const 64))
          (then
            (local.set $soh
              (i64.and
                (local.get $soh)
                (i64.sub
                  (i64.shl (i64.const 1) (i64.extend_i32_u (i32.sub (local.get $end) (local.get $block))))
                  (i64.const 1))))))
        (block $blockDone
          (br_if $blockDone (i64.eqz (local.get $soh)))
          (loop $fields
            (local.set $valueEnd (i32.add (local.get $block) (i32.wrap_i64 (i64.ctz (local.get $soh)))))
            (local.set $soh (i64.and (local.get $soh) (i64.sub (local.get $soh) (i64.const 1))))
            ;; Tags have two or three digits in most messages: `ddd=` and `dd=` are taken apart as words, first byte lowest. What is wanted in each
            ;; byte goes by exclusive or, which leaves 0 to 9 of a digit and 0 of `=`; a byte above 9 reaches its highest bit when 118 is added.
            (local.set $word (i32.xor (i32.load align=1 (local.get $at)) (i32.const 0x3d303030)))
            (local.set $tag (i32.and (local.get $word) (i32.const 0xff)))
            (br_if $notPlain (i32.eqz (local.get $tag)))
            (if
              (i32.eqz
                (i32.and
                  (i32.or (i32.add (local.get $word) (i32.const 0x767676)) (local.get $word))
                  (i32.const 0xff808080)))
              (then
                (local.set $tag
                  (i32.add
                    (i32.add
                      (i32.mul (local.get $tag) (i32.const 100))
                      (i32.mul
                        (i32.and (i32.shr_u (local.get $word) (i32.const 8)) (i32.const 0xff))
                        (i32.const 10)))
                    (i32.shr_u (local.get $word) (i32.const 16))))
                (local.set $valueStart (i32.add (local.get $at) (i32.const 4))))
              (else
                ;; Of `=` where a third digit would be, 13 is left.
                (if
                  (i32.eq
                    (i32.and
                      (i32.or (i32.add (local.get $word) (i32.const 0x7676)) (local.get $word))
                      (i32.const 0x00ff8080))
                    (i32.const 0x000d0000))
                  (then
                    (local.set $tag
                      (i32.add
                        (i32.mul (local.get $tag) (i32.const 10))
                        (i32.and (i32.shr_u (local.get $word) (i32.const 8)) (i32.const 0xff))))
                    (local.set $valueStart (i32.add (local.get $at) (i32.const 3))))
                  (else
                    (local.set $valueStart (local.get $at))
                    (local.set $tag (i32.const 0))
                    (loop $digits
                      (local.set $digit (i32.sub (i32.load8_u (local.get $valueStart)) (i32.const 48)))
                      (br_if $notPlain (i32.gt_u (local.get $digit) (i32.const 9)))
                      (br_if $notPlain (i32.gt_u (local.get $tag) (i32.const 99999999)))
                      (local.set $tag (i32.add (i32.mul (local.get $tag) (i32.const 10)) (local.get $digit)))
                      (local.set $valueStart (i32.add (local.get $valueStart) (i32.const 1)))
                      (br_if $digits (i32.ne (i32.load8_u (local.get $valueStart)) (i32.const 61))))
                    (local.set $valueStart (i32.add (local.get $valueStart) (i32.const 1)))))))
            (br_if $notPlain (i32.eq (local.get $valueStart) (local.get $valueEnd)))
            (if (i32.lt_u (local.get $tag) (i32.const 1024))
              (then (br_if $notPlain (i32.load8_u (local.get $tag)))))
            (br_if $notPlain (i32.eq (local.get $entry) (i32.const 16384)))
            (i32.store offset=1024 (local.get $entry) (local.get $tag))
            (i32.store offset=17408 (local.get $entry) (i32.sub (local.get $valueStart) (local.get $bias)))
            (i32.store offset=33792 (local.get $entry) (i32.sub (local.get $valueEnd) (local.get $bias)))
            (local.set $entry (i32.add (local.get $entry) (i32.const 4)))
            (local.set $at (i32.add (local.get $valueEnd) (i32.const 1)))
            (br_if $fields (i64.ne (local.get $soh) (i64.const 0)))))
        (local.set $block (i32.add (local.get $block) (i32.const 64)))
        (br_if $blocks (i32.lt_s (local.get $block) (local.get $end)))))
    (i32.shr_u (local.get $entry) (i32.const 2))))
