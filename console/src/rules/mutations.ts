import { graphql } from "../api/gen";

export const CREATE_RULE = graphql(`
  mutation CreateRule($input: RuleInput!, $reason: String) {
    createRule(input: $input, reason: $reason) {
      rule {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const UPDATE_RULE = graphql(`
  mutation UpdateRule($id: ID!, $input: RuleInput!, $reason: String) {
    updateRule(id: $id, input: $input, reason: $reason) {
      rule {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const DELETE_RULE = graphql(`
  mutation DeleteRule($id: ID!, $reason: String) {
    deleteRule(id: $id, reason: $reason) {
      rule {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);
