import { Comment, type Context, Converter, type DeclarationReflection, ReflectionKind } from "typedoc";
import ts from "typescript";

/** Documents the properties of types inferred from zod schemas with what the schemas' `.describe()` says. */
export function describeProperties(converter: Converter): void {
  converter.on(Converter.EVENT_CREATE_DECLARATION, (context: Context, reflection: DeclarationReflection) => {
    if (!reflection.kindOf(ReflectionKind.Property) || reflection.hasComment()) return;
    for (const declaration of context.getSymbolFromReflection(reflection)?.declarations ?? []) {
      const text = ts.isPropertyAssignment(declaration) && descriptionOf(declaration.initializer, context.checker);
      if (text) reflection.comment = new Comment([{ kind: "text", text }]);
    }
  });
}

/** Returns the argument of the last `.describe()` in a schema's chain of calls, also where the chain begins with a schema of that name. */
function descriptionOf(schema: ts.Node, checker: ts.TypeChecker): string | undefined {
  if (ts.isIdentifier(schema)) {
    const declaration = checker.getSymbolAtLocation(schema)?.valueDeclaration;
    const value = declaration && ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
    return value && descriptionOf(value, checker);
  }
  if (!ts.isCallExpression(schema) || !ts.isPropertyAccessExpression(schema.expression)) return undefined;
  const { name, expression } = schema.expression;
  const [text] = schema.arguments;
  if (name.text === "describe" && text && ts.isStringLiteralLike(text)) return text.text;
  return descriptionOf(expression, checker);
}
