import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../gql/schema.graphql",
  documents: ["src/**/*.{ts,tsx}", "!src/api/gen/**"],
  ignoreNoDocuments: true,
  generates: {
    "src/api/gen/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: "string",
        useTypeImports: true,
        enumsAsTypes: true,
        onlyOperationTypes: true,
        avoidOptionals: false,
        scalars: {
          DateTime: "string",
          ReadingTime: "string | number",
          Duration: "string",
          JSON: "unknown",
          GeoJSON: "{ type: string; coordinates: unknown }",
        },
      },
    },
  },
};

export default config;
