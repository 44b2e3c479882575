import { graphql } from "../api/gen";

export const COMMENT = graphql(`
  mutation CommentAlarm($id: ID!, $note: String!) {
    commentEvent(id: $id, note: $note) {
      event {
        id
        state
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const ACKNOWLEDGE_ALL = graphql(`
  mutation AcknowledgeAlarms($filter: EventFilter!, $note: String, $dryRun: Boolean!) {
    acknowledgeEvents(filter: $filter, note: $note, dryRun: $dryRun) {
      matched
      changed
      errors {
        code
        message
        path
      }
    }
  }
`);

export const DISMISS_ALL = graphql(`
  mutation DismissAlarms($filter: EventFilter!, $note: String, $dryRun: Boolean!) {
    dismissEvents(filter: $filter, note: $note, dryRun: $dryRun) {
      matched
      changed
      errors {
        code
        message
        path
      }
    }
  }
`);

export const SHELVE = graphql(`
  mutation ShelveAlarms($to: DateTime!, $ruleId: ID, $entityId: ID, $note: String) {
    shelveEvents(to: $to, ruleId: $ruleId, entityId: $entityId, note: $note) {
      shelf {
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

export const UNSHELVE = graphql(`
  mutation UnshelveAlarms($id: ID!) {
    unshelveEvents(id: $id) {
      shelf {
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

export const CREATE_WORK = graphql(`
  mutation CreateWork($input: CreateActivityInput!) {
    createActivity(input: $input) {
      activity {
        id
        name
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const TARGET_WORK = graphql(`
  mutation TargetWork($activityId: ID!, $targetId: ID!) {
    createEdge(input: { sourceId: $activityId, targetId: $targetId, relationship: "TARGETS" }) {
      edge {
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

export const CREATE_WORK_FROM_TEMPLATE = graphql(`
  mutation CreateWorkFromTemplate($templateId: ID!, $targetIds: [ID!]!) {
    createActivityFromTemplate(templateId: $templateId, targetIds: $targetIds) {
      activity {
        id
        name
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const WORK_TEMPLATES = graphql(`
  query WorkTemplates {
    activityTemplates(first: 100) {
      nodes {
        id
        name
        description
        deletedAt
      }
    }
  }
`);
