;; The smallest useful component: it adds two numbers, and asks the host for nothing.
;;
;;   package docs:adder@0.1.0;
;;   interface add { add: func(a: u32, b: u32) -> u32; }
;;   world adder { export add; }
;;
;; Try it: %wash load example:adder    %wash call adder.add(1, 2)

(component $adder
  ;; Inside is an ordinary core module: numbers in, numbers out.
  (core module $module
    (func $add (export "add") (param $a i32) (param $b i32) (result i32)
      (i32.add (local.get $a) (local.get $b))))
  (core instance $instance (instantiate $module))

  ;; `canon lift` makes a component's function of a core one: from here on it has WIT types and parameter names.
  (func $add (param "a" u32) (param "b" u32) (result u32)
    (canon lift (core func $instance "add")))

  ;; Functions are exported in an interface, under its full name.
  (instance $interface (export "add" (func $add)))
  (export "docs:adder/add@0.1.0" (instance $interface)))
