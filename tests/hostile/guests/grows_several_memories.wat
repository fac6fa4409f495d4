;; Takes memory until there is no more, from two memories in turn.
(module
  (import "bursar:adapter/incoming@0.1.0" "[constructor]description" (func $description (param i32 i32 i32 i32) (result i32)))
  (import "bursar:adapter/incoming@0.1.0" "[static]verdict.accept" (func $accept (param i32 i32) (result i32)))
  (import "bursar:adapter/incoming@0.1.0" "[resource-drop]request" (func $drop (param i32)))
  (memory (export "memory") 1)
  (memory $other 1)
  (data (i32.const 16) "grows-several-memories")
  (data (i32.const 80) "0.1.0")

  (func (export "bursar:adapter/adapter@0.1.0#describe") (result i32)
    (call $description (i32.const 16) (i32.const 22) (i32.const 80) (i32.const 5)))

  ;; Genuine, whoever sent it: the shop is declared unsigned.
  (func (export "bursar:adapter/adapter@0.1.0#authenticate") (param $request i32) (result i32)
    (call $drop (local.get $request))
    (i32.store (i32.const 4) (call $accept (i32.const 80) (i32.const 5)))
    (i32.const 0))

  (func (export "bursar:adapter/adapter@0.1.0#handle") (param $delivery i32) (result i32)
    (loop $more
      (br_if $more (i32.and
        (i32.ne (memory.grow (i32.const 16)) (i32.const -1))
        (i32.ne (memory.grow $other (i32.const 16)) (i32.const -1)))))
    unreachable)

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 1024))
)
