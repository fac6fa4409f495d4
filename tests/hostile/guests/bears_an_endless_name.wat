;; Traps in a function whose name is short as the file holds it, and hundreds of millions of letters long as people read it.
(module
  (import "bursar:adapter/incoming@0.1.0" "[constructor]description" (func $description (param i32 i32 i32 i32) (result i32)))
  (import "bursar:adapter/incoming@0.1.0" "[static]verdict.accept" (func $accept (param i32 i32) (result i32)))
  (import "bursar:adapter/incoming@0.1.0" "[resource-drop]request" (func $drop (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "bears-an-endless-name")
  (data (i32.const 80) "0.1.0")
  ;; C++ for: f(A, B<A, …>, B<B<A, …>, …>, …), ten arguments each, eight deep.
  (func $_Z1f1A1BIS_S_S_S_S_S_S_S_S_S_ES0_IS1_S1_S1_S1_S1_S1_S1_S1_S1_S1_ES0_IS2_S2_S2_S2_S2_S2_S2_S2_S2_S2_ES0_IS3_S3_S3_S3_S3_S3_S3_S3_S3_S3_ES0_IS4_S4_S4_S4_S4_S4_S4_S4_S4_S4_ES0_IS5_S5_S5_S5_S5_S5_S5_S5_S5_S5_ES0_IS6_S6_S6_S6_S6_S6_S6_S6_S6_S6_ES0_IS7_S7_S7_S7_S7_S7_S7_S7_S7_S7_E unreachable)

  (func (export "bursar:adapter/adapter@0.1.0#describe") (result i32)
    (call $description (i32.const 16) (i32.const 21) (i32.const 80) (i32.const 5)))

  ;; Genuine, whoever sent it: the shop is declared unsigned.
  (func (export "bursar:adapter/adapter@0.1.0#authenticate") (param $request i32) (result i32)
    (call $drop (local.get $request))
    (i32.store (i32.const 4) (call $accept (i32.const 80) (i32.const 5)))
    (i32.const 0))

  (func (export "bursar:adapter/adapter@0.1.0#handle") (param $delivery i32) (result i32)
    (call $_Z1f1A1BIS_S_S_S_S_S_S_S_S_S_ES0_IS1_S1_S1_S1_S1_S1_S1_S1_S1_S1_ES0_IS2_S2_S2_S2_S2_S2_S2_S2_S2_S2_ES0_IS3_S3_S3_S3_S3_S3_S3_S3_S3_S3_ES0_IS4_S4_S4_S4_S4_S4_S4_S4_S4_S4_ES0_IS5_S5_S5_S5_S5_S5_S5_S5_S5_S5_ES0_IS6_S6_S6_S6_S6_S6_S6_S6_S6_S6_ES0_IS7_S7_S7_S7_S7_S7_S7_S7_S7_S7_E)
    (i32.const 0))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 1024))
)
