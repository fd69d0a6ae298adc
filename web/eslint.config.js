import js from "@eslint/js";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config({ ignores: ["node_modules", "dist", "src/api/schema.ts"] }, js.configs.recommended, {
  files: ["**/*.{ts,tsx}"],
  extends: [tseslint.configs.strictTypeChecked, jsxA11y.flatConfigs.strict],
  languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  plugins: { "react-hooks": reactHooks },
  rules: {
    ...reactHooks.configs.recommended.rules,
    // These three are about what the React compiler can do with a component; it is not used here, and a video element
    // or a canvas is moved through its ref.
    "react-hooks/immutability": "off",
    "react-hooks/preserve-manual-memoization": "off",
    "react-hooks/refs": "off",
    "max-lines": ["error", 400],
    // Higher than in Python: what a component shows or leaves out counts as a branch.
    complexity: ["error", 20],
    "no-console": "error",
    "no-restricted-syntax": [
      "error",
      {
        selector: "MemberExpression[object.name='Intl'][property.name='DateTimeFormat']",
        message: "Times are written by parts/clockTime, by the same clock everywhere.",
      },
      {
        selector: "MemberExpression[property.name=/^toLocale(Date|Time)String$/]",
        message: "Times are written by parts/clockTime, by the same clock everywhere.",
      },
    ],
    "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    // A handler that starts something asynchronous says so with `void` where the library wants a function of nothing.
    "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
  },
});
